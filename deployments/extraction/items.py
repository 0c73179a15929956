"""The rows of goods on receipts and invoices."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from configs.rulebook import Column, FieldRule
from deployments.extraction.candidates import Candidate
from deployments.extraction.item_rows import (
    Price,
    Row,
    find_head,
    make_rows,
    place_columns,
    place_of,
    read_row,
)
from deployments.extraction.labels import has_word
from deployments.extraction.numbers import find_money
from deployments.extraction.sheet import Run, Sheet

_ROW_SCORE, _SURE_SCORE, _PRODUCT_SCORE = 0.55, 0.75, 0.85
_CENT = 0.011
_WAITING_ROWS = 4


def find_items(
    sheet: Sheet, rule: FieldRule, ends: Sequence[str], heads: Sequence[str], stop: float | None
) -> list[dict[str, Candidate]]:
    """The items between the heads of columns, or the first price, and the first of the totals.

    ``ends`` are words of rows that are no items, ``heads`` those of lines above them; ``stop`` is the top of
    the first total, as `place_of` gives it. A description stands in the row of its price, or in the row
    before or after: whichever the first item shows.
    """
    rows = make_rows(sheet)
    head = find_head(rows, rule.columns)
    columns = place_columns(rows[head], rule.columns) if head is not None else {}
    decimals = sheet.country.decimals if sheet.country else 2
    signs = sheet.country.signs if sheet.country else ()
    read: list[Row] = []
    for row in rows[head + 1 if head is not None else 0 :]:
        if has_word(row[0].text, heads) and not any(one.amount for one in read):
            # Still above the goods.
            read.clear()
            continue
        if stop is not None and place_of(row[0]) >= stop - 0.3 * sheet.line_height:
            break
        if has_word(row[0].text, ends) and not _is_goods(row, signs, decimals):
            if any(item.amount for item in read):
                break
            continue
        read.append(read_row(row, signs, decimals))
    return list(_join(read, columns, sheet, head is not None))


def _is_goods(row: Sequence[Run], signs: Sequence[str], decimals: int) -> bool:
    """A row with a long description is no total, whatever word it has."""
    return len(row) >= 4 and bool(list(find_money(row[-1].text, signs, decimals, bare=decimals == 0)))


def _join(
    rows: Sequence[Row], columns: Mapping[Column, tuple[float, float]], sheet: Sheet, headed: bool
) -> Iterator[dict[str, Candidate]]:
    """Put rows together to items, each with one price."""
    waiting: list[Row] = []
    last: dict[str, Candidate] | None = None
    before = True
    for row in rows:
        if row.amount is not None:
            last_seen = last is not None
            if last is not None:
                yield last
            last = {"amount": _make(row.amount, _SURE_SCORE if headed else _ROW_SCORE)}
            above = [one for one in waiting if one.description] if before else []
            words = row.description
            if above and (not words or _is_unit(words)):
                # Over the first item there may still be lines of the head.
                words = above[0 if last_seen else -1].description
            numbers = waiting[-1] if waiting and not row.numbers and waiting[-1].numbers else row
            last.update(_number(numbers, last["amount"].value, columns))
            if words:
                last["description"] = _describe(words)
            waiting = []
        elif last is not None and "description" not in last and row.description:
            # This item tells on which side of its price the description stands.
            last["description"] = _describe(row.description)
            before = False
        elif (
            last is not None
            and not row.description
            and _fits(found := _number(row, last["amount"].value, {}))
        ):
            last.update(found)
        else:
            waiting = [*waiting, row][-_WAITING_ROWS:]
    if last is not None:
        yield last


def _is_unit(words: Sequence[Run]) -> bool:
    """Whether the words beside a price are a unit of measure, not a description."""
    return len(words) == 1 and len(words[0].text.split()) == 1 and len(words[0].text.strip()) <= 5


def _fits(numbers: Mapping[str, Candidate]) -> bool:
    return "quantity" in numbers


def _describe(runs: Sequence[Run]) -> Candidate:
    spans = tuple(run.span() for run in runs)
    text = " ".join(" ".join(run.text.split()) for run in runs)
    return Candidate(
        text.lstrip("-*• ").strip(),
        spans,
        _ROW_SCORE + 0.1,
        "table",
        runs[0].top,
        runs[0].left,
        runs[0].height,
    )


def _make(value: Price, score: float) -> Candidate:
    run, hit = value
    span = run.span(hit.start, hit.end)
    return Candidate(
        hit.value, (span,), score * (0.7 + 0.3 * run.confidence), "table", run.top, run.left, run.height
    )


def _number(row: Row, amount: object, columns: Mapping[Column, tuple[float, float]]) -> dict[str, Candidate]:
    """Quantity and price of one: the pair whose product is the amount, else what stands below the heads."""
    for first, second in permutations(row.numbers, 2):
        one, other = float(first[1].value), float(second[1].value)
        in_order = (first[0].left, first[1].start) < (second[0].left, second[1].start)
        if not isinstance(amount, int | float) or not in_order or one <= 0:
            continue
        if abs(one * other - amount) <= _CENT:
            quantity, price = (first, second) if _is_count(first, second, columns) else (second, first)
            return {"quantity": _make(quantity, _PRODUCT_SCORE), "unit_price": _make(price, _PRODUCT_SCORE)}
    found: dict[str, Candidate] = {}
    heads: tuple[Column, ...] = ("quantity", "unit_price")
    for name in heads:
        left, right = columns.get(name, (0.0, -1e9))
        for run, hit in row.numbers:
            part = run.cut(hit.start, hit.end)
            if name not in found and min(part.right, right) - max(part.left, left) > -0.5 * part.height:
                found[name] = _make((run, hit), _ROW_SCORE)
    return found


def _is_count(first: Price, second: Price, columns: Mapping[Column, tuple[float, float]]) -> bool:
    """Whether the first of two factors is the quantity: by the heads, else it is the left one."""
    counts = [isinstance(hit.value, int) and not hit.sign for _, hit in (first, second)]
    if counts[0] != counts[1]:
        return counts[0]
    if "quantity" in columns and "unit_price" in columns:
        left, right = columns["quantity"], columns["unit_price"]
        counted_left = sum(left) < sum(right)
    else:
        counted_left = True
    is_left = (first[0].left, first[1].start) < (second[0].left, second[1].start)
    return is_left == counted_left

"""The rows of goods on receipts and invoices."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from configs.rulebook import Column, FieldRule
from deployments.extraction.candidates import Candidate
from deployments.extraction.labels import compact, find_word, has_word
from deployments.extraction.numbers import Hit, find_money, find_numbers, repair_digits
from deployments.extraction.sheet import Run, Sheet, Span, stand_in_row

_TIMES = re.compile(r"(\d{1,4}(?:[.,]\d{1,3})?)\s*(?:[xX×*@]|개\s*[xX×]?|ea)\s*((?:RM|\$|₩)?\s*\d[\d,.]*)")
# Marks of tax rates and the like behind a price.
_TRAILER = re.compile(r"^[\s*#@]*[A-Za-z]{0,3}\d?[\s*]*$")
_ROW_SCORE, _SURE_SCORE = 0.55, 0.75
_WAITING_ROWS = 4


@dataclass(frozen=True)
class _Row:
    """The runs of one row from the left, and the price at its end where there is one."""

    runs: tuple[Run, ...]
    amount: tuple[Run, Hit] | None
    description: tuple[Run, ...]
    numbers: tuple[tuple[Run, Hit], ...]


def find_items(
    sheet: Sheet, rule: FieldRule, ends: Sequence[str], heads: Sequence[str], stop: float | None
) -> list[dict[str, Candidate]]:
    """The items between the heads of columns (or the first price) and the first of the totals.

    ``ends`` are words of rows that are no items, ``heads`` those of lines above them; ``stop`` is the top of the first total, as `place_of` gives.
    A description stands in the row of its price, or in the row before or after: whichever the first row shows.
    """
    rows = _make_rows(sheet)
    head = _find_head(rows, rule.columns)
    columns = _place_columns(rows[head], rule.columns) if head is not None else {}
    decimals = sheet.country.decimals if sheet.country else 2
    signs = sheet.country.signs if sheet.country else ()
    read: list[_Row] = []
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
        read.append(_read_row(row, signs, decimals, columns))
    return list(_join(read, columns, sheet, head is not None))


def place_of(run: Run) -> float:
    """A run's height over all pages: pages stand below each other."""
    return run.page * 1e6 + run.middle


def _is_goods(row: Sequence[Run], signs: Sequence[str], decimals: int) -> bool:
    """A row with a long description is no total, whatever word it has."""
    return len(row) >= 4 and bool(list(find_money(row[-1].text, signs, decimals, bare=decimals == 0)))


def _make_rows(sheet: Sheet) -> list[list[Run]]:
    rows: list[list[Run]] = []
    for run in sorted(sheet.runs, key=place_of):
        if rows and rows[-1][0].page == run.page and stand_in_row(rows[-1][-1], run):
            rows[-1].append(run)
        else:
            rows.append([run])
    return [sorted(row, key=lambda run: run.left) for row in rows]


def name_column(text: str, columns: Mapping[Column, tuple[str, ...]]) -> Column | None:
    """The column that a text is the head of."""
    held = compact(text)
    best: tuple[float, Column] | None = None
    for name, labels in columns.items():
        for label in labels:
            found = find_word(held, compact(label))
            if found is not None:
                cover = (found[1] - found[0]) / len(held.text)
                if cover > 0.6 and (best is None or cover > best[0]):
                    best = cover, name
    return best[1] if best else None


def _find_head(rows: Sequence[Sequence[Run]], columns: Mapping[Column, tuple[str, ...]]) -> int | None:
    for place, row in enumerate(rows):
        named = {name for run in row for name in _names_in(run, columns)}
        if len(named) >= 2 and not any(character.isdigit() for run in row for character in run.text):
            return place
    return None


def _names_in(run: Run, columns: Mapping[Column, tuple[str, ...]]) -> list[Column]:
    """The columns that a run of a head names: one, or several words one each."""
    whole = name_column(run.text, columns)
    if whole:
        return [whole]
    return [name for word in run.text.split() if (name := name_column(word, columns)) is not None]


def _place_columns(row: Sequence[Run], columns: Mapping[Column, tuple[str, ...]]) -> dict[Column, tuple[float, float]]:
    places: dict[Column, tuple[float, float]] = {}
    for run in row:
        whole = name_column(run.text, columns)
        parts = [(whole, run)] if whole else []
        for found in () if whole else re.finditer(r"\S+", run.text):
            parts.append((name_column(found.group(), columns), run.cut(*found.span())))
        for name, part in parts:
            if name is not None:
                # Of two columns of prices the right one is the one that adds up.
                if name == "unit_price" and name in places:
                    continue
                places[name] = part.left, part.right
    return places


def _read_row(
    runs: Sequence[Run], signs: Sequence[str], decimals: int, columns: Mapping[Column, tuple[float, float]]
) -> _Row:
    prices: list[tuple[Run, Hit]] = []
    for place, run in enumerate(runs):
        alone = place > 0 or len(runs) == 1
        times = _TIMES.search(repair_digits(run.text))
        for hit in find_money(run.text, signs, decimals, bare=decimals == 0 and alone):
            rest = run.text[: hit.start].strip()
            if decimals == 0 and hit.quality < 0.5 and (rest or run.text[hit.end :].strip()):
                continue
            # The price of one is no amount.
            if times is None or not times.start() < hit.end <= times.end():
                prices.append((run, hit))
    amount = None
    for run, hit in reversed(prices):
        tail = [run.text[hit.end :], *(later.text for later in runs[runs.index(run) + 1 :])]
        if all(_TRAILER.match(text) for text in tail):
            amount = run, hit
            break
    numbers: list[tuple[Run, Hit]] = []
    words: list[Run] = []
    for run in runs:
        times = _TIMES.search(repair_digits(run.text))
        if times is not None:
            for hit in find_numbers(times[1] + " "):
                numbers.append((run, Hit(times.start(1), times.end(1), hit.value)))
            for hit in find_money(times[2], signs, decimals, bare=True):
                numbers.append((run, Hit(times.start(2), times.end(2), hit.value, 1.0)))
            left = run.text[: times.start()].rstrip()
            if any(letter.isalpha() for letter in left):
                words.append(run.cut(0, len(left)))
            numbers += [(run, hit) for of, hit in prices if of is run and (amount is None or (run, hit) != amount)]
            continue
        own = [hit for of, hit in prices if of is run]
        if own:
            left = run.text[: own[0].start].strip()
            numbers += [(run, hit) for hit in own if amount is None or (run, hit) != amount]
            if count_letters(left) >= 3 or any(not c.isascii() for c in left):
                words.append(run.cut(0, own[0].start))
        elif re.fullmatch(r"\s*[\dIl]{1,4}(?:[.,]\d{1,3})?\s*", run.text):
            numbers += [(run, hit) for hit in find_numbers(run.text)]
        elif count_letters(run.text) >= 3 or (count_letters(run.text) == 2 and not _TRAILER.match(run.text)):
            if amount is None or run.left < amount[0].left:
                words.append(run)
    return _Row(tuple(runs), amount, tuple(words), tuple(numbers))


def _join(
    rows: Sequence[_Row], columns: Mapping[Column, tuple[float, float]], sheet: Sheet, headed: bool
) -> Iterator[dict[str, Candidate]]:
    """Put rows together to items, each with one price."""
    waiting: list[_Row] = []
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
        elif last is not None and not row.description and _fits(found := _number(row, last["amount"].value, {})):
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


def count_letters(text: str) -> int:
    """How many letters a text has; one of Hangul says as much as two."""
    return sum(1 if character.isascii() else 2 for character in text if character.isalpha())


def _describe(runs: Sequence[Run]) -> Candidate:
    spans = tuple(run.span() for run in runs)
    text = " ".join(" ".join(run.text.split()) for run in runs)
    return Candidate(text.lstrip("-*• ").strip(), spans, _ROW_SCORE + 0.1, "table", runs[0].top, runs[0].left, runs[0].height)


def _make(value: tuple[Run, Hit], score: float) -> Candidate:
    run, hit = value
    span: Span = run.span(hit.start, hit.end)
    return Candidate(hit.value, (span,), score * (0.7 + 0.3 * run.confidence), "table", run.top, run.left, run.height)


def _number(
    row: _Row, amount: object, columns: Mapping[Column, tuple[float, float]]
) -> dict[str, Candidate]:
    """Quantity and price of one: the pair whose product is the amount, else what stands below the heads."""
    found: dict[str, Candidate] = {}
    values = list(row.numbers)
    for first in values:
        for second in values:
            if first is second or not isinstance(amount, int | float):
                continue
            one, other = float(first[1].value), float(second[1].value)
            place = (first[0].left, first[1].start) < (second[0].left, second[1].start)
            if abs(one * other - amount) <= 0.011 and (place or one != other) and one > 0:
                quantity, price = (first, second) if _is_count(first, second, columns) else (second, first)
                return {"quantity": _make(quantity, 0.85), "unit_price": _make(price, 0.85)}
    for name in ("quantity", "unit_price"):
        edges = columns.get(name)  # type: ignore[call-overload]
        for run, hit in values if edges else ():
            part = run.cut(hit.start, hit.end)
            if name not in found and min(part.right, edges[1]) - max(part.left, edges[0]) > -0.5 * part.height:
                found[name] = _make((run, hit), _ROW_SCORE)
    return found


def _is_count(
    first: tuple[Run, Hit], second: tuple[Run, Hit], columns: Mapping[Column, tuple[float, float]]
) -> bool:
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

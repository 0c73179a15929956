"""Rows of a page as goods are listed: the heads of their columns, and what each row holds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from configs.rulebook import Column
from deployments.extraction.labels import compact, find_word
from deployments.extraction.numbers import Hit, find_money, find_numbers, repair_digits
from deployments.extraction.sheet import Run, Sheet, stand_in_row

_TIMES = re.compile(r"(\d{1,4}(?:[.,]\d{1,3})?)\s*(?:[xX×*@]|개\s*[xX×]?|ea)\s*((?:RM|\$|₩)?\s*\d[\d,.]*)")
_COUNT = re.compile(r"\s*[\dIl]{1,4}(?:[.,]\d{1,3})?\s*")
# Marks of tax rates and the like behind a price.
_TRAILER = re.compile(r"^[\s*#@]*[A-Za-z]{0,3}\d?[\s*]*$")

Price = tuple[Run, Hit]


@dataclass(frozen=True)
class Row:
    """The runs of one row from the left, and the price at its end where there is one."""

    runs: tuple[Run, ...]
    amount: Price | None
    description: tuple[Run, ...]
    numbers: tuple[Price, ...]


def place_of(run: Run) -> float:
    """A run's height over all pages: pages stand below each other."""
    return run.page * 1e6 + run.middle


def make_rows(sheet: Sheet) -> list[list[Run]]:
    """All runs in rows from the top, each from the left."""
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


def find_head(rows: Sequence[Sequence[Run]], columns: Mapping[Column, tuple[str, ...]]) -> int | None:
    """The place of the first row that names two columns and has no digit; None if there is none."""
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


def place_columns(
    row: Sequence[Run], columns: Mapping[Column, tuple[str, ...]]
) -> dict[Column, tuple[float, float]]:
    """Left and right edge of each head; of two columns of prices the first is that of one."""
    places: dict[Column, tuple[float, float]] = {}
    for run in row:
        whole = name_column(run.text, columns)
        words = [] if whole else [run.cut(*found.span()) for found in re.finditer(r"\S+", run.text)]
        for part in [run] if whole else words:
            name = name_column(part.text, columns)
            if name is not None and not (name == "unit_price" and name in places):
                places[name] = part.left, part.right
    return places


def read_row(runs: Sequence[Run], signs: Sequence[str], decimals: int) -> Row:
    """What a row holds: the price at its end, words before it, and the other numbers."""
    prices = [price for run in runs for price in _find_prices(run, runs, signs, decimals)]
    amount = _find_amount(runs, prices)
    words: list[Run] = []
    numbers: list[Price] = []
    for run in runs:
        own = [hit for of, hit in prices if of is run]
        numbers += [(run, hit) for hit in own if (run, hit) != amount]
        times = _TIMES.search(repair_digits(run.text))
        if times is not None:
            numbers += _read_product(run, times, signs, decimals)
            left = run.text[: times.start()].rstrip()
            if any(letter.isalpha() for letter in left):
                words.append(run.cut(0, len(left)))
        elif own:
            left = run.text[: own[0].start].strip()
            if count_letters(left) >= 3 or any(not letter.isascii() for letter in left):
                words.append(run.cut(0, own[0].start))
        elif _COUNT.fullmatch(run.text):
            numbers += [(run, hit) for hit in find_numbers(run.text)]
        elif _is_wordy(run.text) and (amount is None or run.left < amount[0].left):
            words.append(run)
    return Row(tuple(runs), amount, tuple(words), tuple(numbers))


def _find_prices(run: Run, row: Sequence[Run], signs: Sequence[str], decimals: int) -> list[Price]:
    """Prices in a run that may be amounts: not the price of one in a product."""
    alone = run is not row[0] or len(row) == 1
    times = _TIMES.search(repair_digits(run.text))
    found = []
    for hit in find_money(run.text, signs, decimals, bare=decimals == 0 and alone):
        around = run.text[: hit.start].strip() + run.text[hit.end :].strip()
        if decimals == 0 and hit.quality < 0.5 and around:
            continue
        if times is None or not times.start() < hit.end <= times.end():
            found.append((run, hit))
    return found


def _find_amount(runs: Sequence[Run], prices: Sequence[Price]) -> Price | None:
    """The last price behind which stands no more than a mark of its tax."""
    for run, hit in reversed(prices):
        tail = [run.text[hit.end :], *(later.text for later in runs[runs.index(run) + 1 :])]
        if all(_TRAILER.match(text) for text in tail):
            return run, hit
    return None


def _read_product(run: Run, times: re.Match[str], signs: Sequence[str], decimals: int) -> list[Price]:
    counts = find_numbers(times[1] + " ")
    prices = find_money(times[2], signs, decimals, bare=True)
    return [
        *((run, Hit(times.start(1), times.end(1), hit.value)) for hit in counts),
        *((run, Hit(times.start(2), times.end(2), hit.value)) for hit in prices),
    ]


def _is_wordy(text: str) -> bool:
    letters = count_letters(text)
    return letters >= 3 or (letters == 2 and not _TRAILER.match(text))


def count_letters(text: str) -> int:
    """How many letters a text has; one of Hangul says as much as two."""
    return sum(1 if character.isascii() else 2 for character in text if character.isalpha())

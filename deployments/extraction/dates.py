"""Dates and times in text as a recogniser reads it."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from typing import Any

from configs.rulebook import DateOrder
from deployments.extraction.numbers import Hit, repair_digits

_SEPARATOR = r"\s?[/.\-,]\s?"
_END = r"(?=\D|$|\d{1,2}:\d\d)"
_YEAR_FIRST = re.compile(rf"(?<!\d)(20\d\d|19\d\d){_SEPARATOR}(\d{{1,2}}){_SEPARATOR}(\d{{1,2}}){_END}")
_YEAR_LAST = re.compile(
    rf"(?<![\d.])(\d{{1,2}}){_SEPARATOR}(\d{{1,2}}){_SEPARATOR}((?:20|19)\d\d(?=\D|$|\d{{1,2}}:)|'?\d\d(?!\d)(?!\.\d))"
)
_KOREAN = re.compile(r"(?:(\d{4}|\d\d)\s?년)\s?(\d{1,2})\s?월\s?(\d{1,2})\s?일")
_PACKED = re.compile(r"(?<!\d)(20[0-4]\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)")
_NAMED = re.compile(
    r"(?<!\w)(?:\d{1,2}(?:st|nd|rd|th|\.)?[\s\-/,.]{0,3}[^\W\d_]{3,9}[\s\-/,.']{0,3}(?:(?:20|19)\d\d|\d\d(?!\d))"
    r"|[^\W\d_]{3,9}[\s\-/.]{0,2}\d{1,2}(?:st|nd|rd|th)?[\s,\-/.]{1,3}(?:20|19)\d\d)(?=\D|$|\d{1,2}:)"
)
_TIME = re.compile(
    r"(?:(?P<half>오전|오후)\s?)?(?<!\d)(?P<hour>[01]?\d|2[0-3])\s?(?P<mark>:|시)\s?(?P<minute>[0-5]\d)"
    r"(?:\s?(?::|분)\s?(?P<second>[0-5]\d)(?:초)?)?(?:분)?(?:\s?(?P<ampm>[AaPp])\.?\s?[Mm]\b\.?)?(?!\d|[:/])"
)
_GLUED_TIME = re.compile(r"(?<=[/.\-](?:20|19)\d\d)(?=\d{1,2}:\d\d)")
# Their languages, in which dateparser looks for the names of months.
_LANGUAGES = ("en", "fr", "de", "es", "it", "nl", "pt", "ms", "id")
_YEARS = range(1950, 2100)


def find_dates(text: str, order: DateOrder) -> Iterator[Hit]:
    """Dates as ISO 8601; two digits of a year mean 1970 to 2069.

    ``quality`` is less for a date without a year of four digits. Numeric dates are read in ``order`` unless
    only another order gives a day; names of months are left to dateparser.
    """
    repaired = repair_digits(text)
    taken: list[tuple[int, int]] = []
    for start, end, quality, day in _search(repaired, order):
        if any(start < last and first < end for first, last in taken) or day is None:
            continue
        taken.append((start, end))
        yield Hit(start, end, day.isoformat(), quality)


def _search(text: str, order: DateOrder) -> Iterator[tuple[int, int, float, date | None]]:
    for found in _KOREAN.finditer(text):
        yield *found.span(), 1.0, _make_date(found[1], found[2], found[3])
    for found in _YEAR_FIRST.finditer(text):
        yield *found.span(), 1.0, _make_date(found[1], found[2], found[3])
    for found in _YEAR_LAST.finditer(text):
        yield (
            *found.span(),
            1.0 if len(found[3]) == 4 else 0.85,
            _order_date((found[1], found[2], found[3]), order),
        )
    for found in _NAMED.finditer(text):
        yield *found.span(), 1.0, _parse_named(found.group(), order)
    for found in _PACKED.finditer(text):
        yield *found.span(), 0.6, _make_date(found[1], found[2], found[3])


def _order_date(parts: tuple[str, str, str], order: DateOrder) -> date | None:
    first, second, third = parts[0], parts[1], parts[2].lstrip("'")
    ways = {"DMY": (third, second, first), "MDY": (third, first, second), "YMD": (first, second, third)}
    orders = [order, "DMY", "MDY", "YMD"]
    if len(third) == 4:
        orders = [way for way in orders if way != "YMD"]
    for way in orders:
        year, month, day = ways[way]
        if len(year) in (2, 4) and (made := _make_date(year, month, day)) is not None:
            return made
    return None


def _make_date(year: str, month: str, day: str) -> date | None:
    number = int(year)
    if len(year) == 2:
        number += 2000 if number < 70 else 1900
    if number not in _YEARS:
        return None
    try:
        return date(number, int(month), int(day))
    except ValueError:
        return None


@cache
def _load_parser(order: DateOrder) -> Any:
    # dateparser takes a fifth of a second to load, and most documents have no named month.
    from dateparser.date import DateDataParser

    settings = {"DATE_ORDER": order if order != "YMD" else "DMY", "REQUIRE_PARTS": ["day", "month", "year"]}
    return DateDataParser(languages=list(_LANGUAGES), settings=settings)


def _parse_named(text: str, order: DateOrder) -> date | None:
    spaced = re.sub(
        r"(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)|[\-/,.']", " ", re.sub(r"(?<=\d)(st|nd|rd|th)", "", text)
    )
    found = _load_parser(order).get_date_data(" ".join(spaced.split())).date_obj
    return found.date() if found is not None and found.year in _YEARS else None


def find_times(text: str) -> Iterator[Hit]:
    """Times as HH:MM or HH:MM:SS on the clock of 24 hours."""
    repaired = repair_digits(text)
    glued = [found.start() for found in _GLUED_TIME.finditer(repaired)]
    for begin, part in [(place, repaired[place:]) for place in glued] or [(0, repaired)]:
        for found in _TIME.finditer(part):
            hour, minute = int(found["hour"]), found["minute"]
            half = (found["ampm"] or {"오전": "a", "오후": "p"}.get(found["half"] or "", "")).lower()
            if half and hour > 12:
                half = ""
            if half:
                hour = hour % 12 + (12 if half == "p" else 0)
            tail = f":{found['second']}" if found["second"] else ""
            start, end = found.span()
            end = begin + start + len(found.group().rstrip())
            yield Hit(begin + start, end, f"{hour:02d}:{minute}{tail}", 1.0 if half or tail else 0.8)


def tell_order(texts: Iterable[str], habit: DateOrder) -> DateOrder:
    """The order that a document's own dates prove, by a number above 12; else the country's habit."""
    votes = {"DMY": 0, "MDY": 0}
    for text in texts:
        for found in _YEAR_LAST.finditer(repair_digits(text)):
            first, second = int(found[1]), int(found[2])
            if len(found[3]) == 4 or habit != "YMD":
                votes["DMY"] += first > 12 >= second
                votes["MDY"] += second > 12 >= first
    if votes["DMY"] == votes["MDY"]:
        return habit
    return "DMY" if votes["DMY"] > votes["MDY"] else "MDY"

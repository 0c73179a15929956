"""Numbers and prices in text as a recogniser reads it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Letters that stand for digits, in a token that has digits already.
_MISREAD = str.maketrans("OoQlI|", "000111")
_TOKEN = re.compile(r"(?<![A-Za-z])[\dOoQlI|.,:/\-]*\d[\dOoQlI|.,:/\-]*(?![A-Za-z])")
_ONE_TIMES = re.compile(r"(?<![A-Za-z])[Il|](?=\s?[xX×]\s?(?:RM|\$)?\s?\d)")
_AMOUNT = re.compile(
    r"(?<![\w.,/:#-])(?P<open>[(-]?)\s?(?P<sign>[A-Z]{2,3}\$?|[S$€£¥₩￦]|US\$)?\s?(?P<minus>-?)"
    r"(?P<number>\d{1,3}(?:[,.' ]\d{3})+(?:\s?[.,]\s?\d{1,2})?|\d+\s?[.,]\s?\d{1,3}|[.,]\d\d|\d+)"
    r"(?P<close>[-)]?)(?P<unit>\s?(?:원|€|EUR|円|USD|RM|KRW))?(?![0-9A-Za-z%]|[.,/:-]\d)"
)
_SPACED_CENTS = re.compile(r"^\D{0,4}(\d+) (\d\d)$")


@dataclass(frozen=True)
class Hit:
    """A value in a run's text: ``quality`` (0 to 1) is how surely it is one by its form alone."""

    start: int
    end: int
    value: str | int | float
    quality: float = 1.0
    sign: str = ""


def repair_digits(text: str) -> str:
    """The text with O, l and I put right inside of numbers; every character keeps its place."""
    text = _ONE_TIMES.sub("1", text)
    return _TOKEN.sub(lambda found: found.group().translate(_MISREAD), text)


def parse_number(text: str, decimals: int = 2) -> float | None:
    """The number that a text of digits and separators means; None if it means none.

    The last separator is the decimal one if one or two digits follow it, or if it is the only one, is no
    comma and what stands before it is zero.
    """
    digits = re.sub(r"[\s']", "", text)
    separators = [mark for mark in digits if mark in ".,"]
    if not separators:
        return float(digits) if digits.isdigit() else None
    head, mark, tail = digits.rpartition(separators[-1])
    if decimals and (len(tail) in (1, 2) or (len(separators) == 1 and head == "0" and mark == ".")):
        whole = re.sub(r"[.,]", "", head) or "0"
        return float(f"{whole}.{tail}") if whole.isdigit() and tail.isdigit() else None
    if len(tail) != 3:
        return None if decimals == 0 and len(tail) > 2 else parse_number(text, 2) if not decimals else None
    joined = re.sub(r"[.,]", "", digits)
    return float(joined) if joined.isdigit() else None


def find_money(text: str, signs: Sequence[str], decimals: int, bare: bool = False) -> Iterator[Hit]:
    """Prices in a text; ``bare``: whole numbers without a sign are prices, too.

    ``quality`` is 1 with a sign or decimals, less for thousands only, least for a bare number.
    """
    repaired = repair_digits(text)
    spaced = _SPACED_CENTS.match(repaired) if decimals else None
    if spaced is not None:
        yield Hit(spaced.start(1), spaced.end(), float(f"{spaced[1]}.{spaced[2]}"), 0.8)
        return
    for found in _AMOUNT.finditer(repaired):
        number = parse_number(found["number"], decimals)
        if number is None:
            continue
        sign = (found["sign"] or found["unit"] or "").strip()
        known = sign in signs or sign in ("$", "S", "€", "£", "¥", "₩", "￦", "원", "RM")
        if found["sign"] and not known:
            # Letters before a number are not part of it.
            sign = ""
        start = found.start("number") if found["sign"] and not known else found.start()
        start += len(found.group()) - len(found.group().lstrip()) if start == found.start() else 0
        pointed = bool(re.search(r"[.,]\s?\d{2}$", found["number"])) and decimals > 0
        grouped = bool(re.search(r"[.,]\d{3}$", found["number"]))
        quality = 1.0 if pointed or (known and sign != "S") else 0.8 if grouped else 0.3
        if quality < 0.5 and not bare:
            continue
        negative = "-" in (found["open"], found["minus"], found["close"]) or (
            found["open"] == "(" and found["close"] == ")"
        )
        if found["open"] == "(" and found["close"] != ")":
            start += 1
        value = -number if negative else number
        end = found.end() if found["close"] != ")" or found["open"] == "(" else found.end("number")
        yield Hit(
            start, end, int(value) if decimals == 0 and value.is_integer() else round(value, 2), quality, sign
        )


_QUANTITY = re.compile(r"(?<![\w.,])(\d{1,4}(?:[.,]\d{1,3})?)(?=\s*(?:[xX×*@]|개|ea|pcs|kg|l\b|$|\s))")


def find_numbers(text: str) -> Iterator[Hit]:
    """Plain numbers, as quantities are."""
    for found in _QUANTITY.finditer(repair_digits(text)):
        number = parse_number(found[1])
        if number is None:
            number = float(found[1].replace(",", "."))
        yield Hit(found.start(1), found.end(1), int(number) if number.is_integer() else round(number, 3))

"""Numbers that name somebody: phones, businesses, documents."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from deployments.extraction.numbers import Hit, repair_digits

_PHONE = re.compile(
    r"(?<![\w.,#])(?:\+\s?\d{1,3}[\s.-]?)?\(?\d{1,4}\)?(?:\s?[\s.\-]\s?\d{2,4}){1,4}(?![\d,]|\.\d)|(?<![\w.,#])\d{8,11}(?!\d)"
    r"|(?<![\w.,#])\d{2,3}-\d{6,8}(?!\d)"
)
_KOREAN_BUSINESS = re.compile(
    r"(?<![\d-])(\d{3})\s?[-–]\s?(\d{2})\s?[-–]\s?(\d{5})(?![\d-])|(?<![\d-])(\d{10})(?![\d-])"
)
_BUSINESS = re.compile(
    r"(?<![\w])[A-Z]{0,4}\d[\dA-Z\-/. ]{4,20}[\dA-Z](?!\w)|(?<!\w)[A-Z]{0,4}\d{5,15}(?!\w)"
)
_CODE = re.compile(r"(?<![\w])[A-Za-z0-9](?:[A-Za-z0-9\-/._]*[A-Za-z0-9])?(?!\w)")
_WEIGHTS = (1, 3, 7, 1, 3, 7, 1, 3, 5)


def check_business_number(digits: str) -> bool:
    """Whether a Korean business registration number of ten digits has the right last one.

    The first nine are weighted 1 3 7 1 3 7 1 3 5 and added up, with the tens of the ninth's product added
    once more; the last digit makes the sum a multiple of ten (the rule of the National Tax Service).
    """
    if len(digits) != 10 or not digits.isdigit():
        return False
    numbers = [int(digit) for digit in digits]
    total = sum(weight * number for weight, number in zip(_WEIGHTS, numbers[:9], strict=True))
    total += numbers[8] * 5 // 10
    return (10 - total % 10) % 10 == numbers[9]


def find_business_numbers(text: str, korean: bool, labelled: bool) -> Iterator[Hit]:
    """Registration numbers: Korean ones as 000-00-00000; others, which need a label, as they are written.

    ``quality`` of a Korean one is low if its check digit is wrong.
    """
    repaired = repair_digits(text)
    hit = False
    for found in _KOREAN_BUSINESS.finditer(repaired):
        digits = re.sub(r"\D", "", found.group())
        sound = check_business_number(digits)
        if not (korean or (sound and "-" in found.group())) or (not sound and not labelled and found[4]):
            continue
        hit = True
        yield Hit(*found.span(), f"{digits[:3]}-{digits[3:5]}-{digits[5:]}", 1.0 if sound else 0.4)
    if hit or korean or not labelled:
        return
    for found in _BUSINESS.finditer(repaired):
        plain = re.sub(r"\s+", "", found.group())
        if sum(character.isdigit() for character in plain) >= 5:
            yield Hit(*found.span(), plain, 0.9)
            return


@cache
def _load_phones() -> Any:
    import phonenumbers

    return phonenumbers


def find_phones(text: str, region: str | None, labelled: bool) -> Iterator[Hit]:
    """Phone numbers, as E.164 where phonenumbers finds them sound for the region, else as digits.

    Without a label only sound ones that are divided as phone numbers are.
    """
    repaired = repair_digits(text)
    for found in _PHONE.finditer(repaired):
        number = found.group().rstrip()
        digits = re.sub(r"\D", "", number)
        if not 7 <= len(digits) <= 15:
            continue
        international = _to_e164(number, region)
        if international is None and not labelled:
            continue
        if not labelled and not re.search(r"[-) ]", number):
            continue
        yield Hit(
            found.start(), found.start() + len(number), international or digits, 1.0 if international else 0.6
        )


def _to_e164(number: str, region: str | None) -> str | None:
    phones = _load_phones()
    try:
        parsed = phones.parse(number, region)
    except phones.NumberParseException:
        return None
    if not phones.is_valid_number(parsed):
        return None
    return str(phones.format_number(parsed, phones.PhoneNumberFormat.E164))


def find_codes(text: str) -> Iterator[Hit]:
    """Numbers of documents: words with a digit in them."""
    for found in _CODE.finditer(text):
        if any(character.isdigit() for character in found.group()):
            yield Hit(*found.span(), found.group(), 1.0 if len(found.group()) > 2 else 0.5)
            return

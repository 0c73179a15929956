"""Dates, times, prices and numbers as they are written and misread."""

import pytest

from deployments.extraction.dates import find_dates, find_times, tell_order
from deployments.extraction.identifiers import check_business_number, find_business_numbers, find_phones
from deployments.extraction.numbers import find_money, repair_digits


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("25/12/2018", "DMY", "2018-12-25"),
        ("03/04/2018", "MDY", "2018-03-04"),
        ("03/25/2018", "DMY", "2018-03-25"),
        ("14/03/20185:57:07PM", "DMY", "2018-03-14"),
        ("Date:02/02/17 19:46", "DMY", "2017-02-02"),
        ("28-1O-2O18", "DMY", "2018-10-28"),
        ("29 Mar 2018 18:19", "DMY", "2018-03-29"),
        ("12-JAN-17", "DMY", "2017-01-12"),
        ("August 3, 2014", "DMY", "2014-08-03"),
        ("3rd of nothing", "DMY", None),
        ("02 Juillet 2015", "DMY", "2015-07-02"),
        ("2026년 11월 3일", "YMD", "2026-11-03"),
        ("26.11.03", "YMD", "2026-11-03"),
        ("2026-11-03 18:42", "DMY", "2026-11-03"),
        ("20180315", "DMY", "2018-03-15"),
        ("31/02/2018", "DMY", None),
        ("TEL 03-7803 0974", "DMY", None),
        ("GST ID 000181747712", "DMY", None),
        ("1.60 1.60 1.60", "DMY", None),
    ],
)
def test_dates(text: str, order: str, expected: str | None) -> None:
    """ISO 8601, or nothing where there is no such day."""
    assert next((hit.value for hit in find_dates(text, order)), None) == expected  # type: ignore[arg-type]


def test_the_order_is_told_by_a_day_above_twelve() -> None:
    """Else by the country."""
    assert tell_order(["03/04/2018", "due 25/04/2018"], "MDY") == "DMY"
    assert tell_order(["03/04/2018", "due 04/25/2018"], "DMY") == "MDY"
    assert tell_order(["03/04/2018"], "MDY") == "MDY"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("18:42", "18:42"),
        ("5:57:07PM", "17:57:07"),
        ("12:05 am", "00:05"),
        ("오후 3시 20분", "15:20"),
        ("14/03/20185:57:07PM", "17:57:07"),
        ("25:10", None),
        ("ratio 1:2", None),
    ],
)
def test_times(text: str, expected: str | None) -> None:
    """On the clock of 24 hours."""
    assert next((hit.value for hit in find_times(text)), None) == expected


@pytest.mark.parametrize(
    ("text", "decimals", "expected"),
    [
        ("RM 1,234.50", 2, [1234.5]),
        ("1.234,50 €", 2, [1234.5]),
        ("$7.1O", 2, [7.1]),
        ("2.07-", 2, [-2.07]),
        ("(3.50)", 2, [-3.5]),
        ("12 . 50", 2, [12.5]),
        ("327 00", 2, [327.0]),
        (".01", 2, [0.01]),
        ("209,110원", 0, [209110]),
        ("₩12,000", 0, [12000]),
        ("GST 6%", 2, []),
        ("18/01/2018", 2, []),
        ("22.50 SR", 2, [22.5]),
        ("10.00 0.60", 2, [10.0, 0.6]),
    ],
)
def test_prices(text: str, decimals: int, expected: list[float]) -> None:
    """Signs, separators and what recognisers make of them."""
    values = [hit.value for hit in find_money(text, ("RM", "원", "₩"), decimals)]
    assert values == expected
    assert all(isinstance(value, int) for value in values) or decimals == 2


def test_letters_are_digits_only_in_numbers() -> None:
    """Every character keeps its place, and words stay words."""
    assert repair_digits("IOI Mall lO.5O I X 2.90") == "IOI Mall 10.50 1 X 2.90"


def test_check_digits_of_korean_businesses() -> None:
    """A wrong last digit is told, and makes the number less sure."""
    assert check_business_number("1248100998")
    assert not check_business_number("1248100997")
    assert not check_business_number("12481")
    (sound,) = find_business_numbers("사업자번호 124-81-00998", True, True)
    (wrong,) = find_business_numbers("사업자번호 124-81-00997", True, True)
    assert sound.value == "124-81-00998"
    assert sound.quality > wrong.quality


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("07-5547360/016-7993391", "MY", "+6075547360"),
        ("02-2123-4567", "KR", "+82221234567"),
        ("+44 20 7946 0958", None, "+442079460958"),
        ("000-11", None, None),
        ("9557068000035", "MY", None),
    ],
)
def test_phones(text: str, region: str | None, expected: str | None) -> None:
    """E.164 where the number is sound for the country."""
    assert next((hit.value for hit in find_phones(text, region, False)), None) == expected

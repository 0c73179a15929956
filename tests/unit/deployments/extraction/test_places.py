"""Where a part of a line stands."""

import numpy as np
import pytest

from deployments.document import Line, Page
from deployments.extraction.places import find_edges, locate_characters, take_off_margin
from deployments.extraction.sheet import Sheet, Span

QUAD = np.array([[0, 0], [200, 0], [200, 20], [0, 20]], np.float32)
TEXT = "1 x 22.80"
# Digits of twenty pixels, with forty of white between the parts.
MIDDLES = (0.05, 0.1, 0.28, 0.38, 0.55, 0.65, 0.725, 0.8, 0.9)


def test_the_middles_of_characters_decide_where_a_part_begins() -> None:
    """Not the width that the characters have on the average: spaces may be as wide as they like."""
    line = Line(TEXT, 0.9, QUAD, middles=MIDDLES)
    by_widths = locate_characters(Line(TEXT, 0.9, QUAD), 4, 9)
    by_middles = locate_characters(line, 4, 9)
    assert by_middles[0, 0] == pytest.approx(100, abs=5)
    assert by_middles[1, 0] == pytest.approx(200, abs=1)
    assert abs(by_widths[0, 0] - 100) > abs(by_middles[0, 0] - 100)


def test_neighbours_put_a_middle_right_that_is_a_step_off() -> None:
    """Characters of a word stand in one row of known widths."""
    even = [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95]
    off = [*even[:4], even[4] + 0.04, *even[5:]]
    left, right = find_edges("0123456789", off, 4, 5)
    assert (left + right) / 2 == pytest.approx(even[4], abs=0.015)


def test_middles_that_do_not_fit_the_text_are_not_used() -> None:
    """A line that was put together of others has none of its own."""
    line = Line(TEXT, 0.9, QUAD, middles=MIDDLES[:3])
    assert np.array_equal(locate_characters(line, 4, 9), locate_characters(Line(TEXT, 0.9, QUAD), 4, 9))


def test_margins_follow_the_letters() -> None:
    """Letters that reach below the line fill what is air under digits."""
    digits = take_off_margin(QUAD, "12.50", True, True)
    deep = take_off_margin(QUAD, "Grocery", True, True)
    assert digits[3, 1] < deep[3, 1] == 20
    assert digits[0, 1] > deep[0, 1] > 0


def test_a_single_digit_on_its_side_stands_upright() -> None:
    """It is taller than wide, and its quad may begin at any corner."""
    box = np.array([[0, 0], [20, 0], [20, 30], [0, 30]], np.float32)
    whole = Sheet([Page(1, 100, 100, lines=(Line("8", 0.9, box),))], None).quad_of(Span(0, 0, 0, 1))
    for turns in range(1, 4):
        line = Line("8", 0.9, np.roll(box, turns, axis=0))
        turned = Sheet([Page(1, 100, 100, lines=(line,))], None).quad_of(Span(0, 0, 0, 1))
        assert np.allclose(turned, whole)


@pytest.mark.parametrize("width", [14, 18, 26])
def test_a_lone_digit_is_as_wide_as_digits_are(width: float) -> None:
    """About its middle, whatever was found: a detector's step is a quarter of so little."""
    found = np.array([[50 - width / 2, 0], [50 + width / 2, 0], [50 + width / 2, 24], [50 - width / 2, 24]])
    quad = take_off_margin(found.astype(np.float32), "7", True, True)
    assert 0.74 <= (quad[1, 0] - quad[0, 0]) / (quad[3, 1] - quad[0, 1]) <= 0.86
    assert quad[:, 0].mean() == pytest.approx(50, abs=0.01)


@pytest.mark.parametrize("text", ["16/10/2020", "$106.87", "(12)"])
def test_tall_signs_fill_the_height_of_a_line(text: str) -> None:
    """They reach over and under the digits, so that there is no air to take off."""
    quad = take_off_margin(QUAD, text, True, True)
    assert (quad[0, 1], quad[3, 1]) == (0, 20)

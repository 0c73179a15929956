"""The order of blocks beside what comes out by hand."""

import sys
from typing import Any

import pytest

from paths import ROOT

sys.path.insert(0, str(ROOT / "tests" / "bench"))

from reading_score import TrueBlock, score_page


def box(number: int) -> tuple[float, float, float, float]:
    return (0, 100 * number, 100, 100 * number + 80)


TRUTH = [TrueBlock("text", box(number), text) for number, text in enumerate(("one", "two", "three", "four"))]
TEXTS = ("one", "two", "three", "four")


def page(*order: int) -> dict[str, Any]:
    """A page whose blocks, one line each, are read in some order."""
    lines = []
    for number in order:
        left, top, right, bottom = box(number)
        quad = [[left, top + 10], [right, top + 10], [right, bottom - 10], [left, bottom - 10]]
        lines.append({"text": TEXTS[number], "quad": quad})
    blocks = [{"kind": "text", "box": box(number), "lines": [at]} for at, number in enumerate(order)]
    return {"lines": lines, "blocks": blocks}


@pytest.mark.parametrize(
    ("order", "order_distance", "text_distance"),
    [
        ((0, 1, 2, 3), 0, 0),
        # The last one stands first: taken out and put in again.
        ((3, 0, 1, 2), 2 / 4, 8 / 15),
        # One is missing.
        ((0, 1, 2), 1 / 4, 4 / 15),
        ((), 1, 1),
    ],
)
def test_an_order_is_as_far_off_as_counted_by_hand(
    order: tuple[int, ...], order_distance: float, text_distance: float
) -> None:
    """Edit distance in parts of the longer sequence."""
    score = score_page(TRUTH, page(*order))
    assert score.order_distance == pytest.approx(order_distance)
    assert score.text_distance == pytest.approx(text_distance)


def test_a_block_that_holds_two_is_read_line_by_line() -> None:
    """What counts is where the lines stand, not how they are grouped."""
    read = page(0, 1, 2, 3)
    read["blocks"] = [{"kind": "text", "box": (0, 0, 100, 400), "lines": [0, 1, 2, 3]}]
    assert score_page(TRUTH, read).order_distance == 0


def test_a_figure_without_text_is_found_by_its_box() -> None:
    """It has no lines."""
    truth = [TrueBlock("figure", box(0), ""), *TRUTH[1:]]
    read = page(1, 2, 3)
    read["blocks"].insert(0, {"kind": "figure", "box": box(0), "lines": []})
    assert score_page(truth, read).order_distance == 0

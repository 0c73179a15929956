"""The order in which the lines of a page are read."""

import json

import numpy as np
import pytest

from deployments.vision.reading_order import order_lines

from paths import FIXTURES

PAGES = {
    page["file"]: page
    for page in map(json.loads, (FIXTURES / "ground_truth.jsonl").read_text(encoding="utf-8").splitlines())
}


def quad(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """An upright quad, clockwise from top left."""
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


def make_column(left: float, top: float, lines: int, width: float = 300) -> list[np.ndarray]:
    """Lines of prose below each other, the last one short."""
    widths = [width] * (lines - 1) + [width / 3]
    return [quad(left, top + 40 * row, left + width, top + 40 * row + 25) for row, width in enumerate(widths)]


@pytest.mark.parametrize("name", sorted(name for name, page in PAGES.items() if not page["rotation"]))
def test_rendered_pages_are_read_as_they_were_written(name: str) -> None:
    """Letters, receipts, forms, tables and columns, whatever the order in which their lines were found."""
    quads = np.array([line["box"] for line in PAGES[name]["lines"]], np.float32).reshape(-1, 4, 2)
    shuffled = np.random.default_rng(0).permutation(len(quads))
    order = order_lines(quads[shuffled])
    assert shuffled[order].tolist() == list(range(len(quads)))


@pytest.mark.parametrize("columns", [2, 3])
def test_columns_of_prose_are_read_one_after_the_other(columns: int) -> None:
    """Even when their lines stand exactly beside each other."""
    quads = np.stack([line for column in range(columns) for line in make_column(340 * column, 0, 8)])
    assert order_lines(quads) == list(range(8 * columns))


def test_a_headline_across_the_columns_separates_what_stands_above_and_below() -> None:
    """First the columns above it, then the headline, then those below."""
    above = [*make_column(0, 0, 5), *make_column(340, 0, 5)]
    below = [*make_column(0, 300, 5), *make_column(340, 300, 5)]
    quads = np.stack([*above, quad(0, 220, 640, 270), *below])
    assert order_lines(quads) == list(range(21))


def test_items_and_prices_stay_rows() -> None:
    """A receipt has two columns, but is read across."""
    rows = [
        (quad(0, 40 * row, 250, 40 * row + 25), quad(400, 40 * row, 460, 40 * row + 25)) for row in range(8)
    ]
    assert order_lines(np.stack([box for row in rows for box in row])) == list(range(16))


def test_rows_are_read_from_left_to_right_even_when_the_scan_is_a_little_askew() -> None:
    """Boxes of one row differ in height by less than half a line."""
    quads = np.stack(
        [quad(300, 12, 400, 32), quad(0, 10, 100, 30), quad(0, 50, 100, 70), quad(150, 8, 250, 28)]
    )
    assert order_lines(quads) == [1, 3, 0, 2]


def test_a_tall_logo_does_not_swallow_the_lines_beside_it() -> None:
    """Three lines beside one tall box stay three rows."""
    quads = np.stack(
        [quad(0, 0, 50, 100), quad(60, 0, 200, 20), quad(60, 40, 200, 60), quad(60, 80, 200, 100)]
    )
    order = order_lines(quads)
    assert [index for index in order if index] == [1, 2, 3]


@pytest.mark.parametrize("count", [0, 1])
def test_few_quads_are_in_order(count: int) -> None:
    """No quad and one quad need no sorting."""
    assert order_lines(np.zeros((count, 4, 2), np.float32)) == list(range(count))


def test_a_slanted_scan_keeps_its_columns() -> None:
    """Half a degree closes a narrow gutter for upright boxes; the lines are straightened first."""
    quads = np.stack([*make_column(0, 0, 12), *make_column(312, 0, 12)])
    slant = np.deg2rad(1.0)
    turn = np.array([[np.cos(slant), np.sin(slant)], [-np.sin(slant), np.cos(slant)]], np.float32)
    assert order_lines(quads @ turn) == list(range(24))


def test_thousands_of_boxes_are_ordered() -> None:
    """A page full of noise is answered too: each box once."""
    corners = np.random.default_rng(0).uniform(0, 4000, (3000, 2)).astype(np.float32)
    sizes = np.random.default_rng(1).uniform(5, 200, (3000, 2)).astype(np.float32)
    quads = np.stack([quad(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, sizes, strict=True)])
    assert sorted(order_lines(quads)) == list(range(3000))

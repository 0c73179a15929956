"""Cutting, turning and ordering."""

import numpy as np
import pytest

from deployments.vision.geometry import crop_lines, cut_quad, order_rows, turn_clockwise


def quad(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """An upright quad, clockwise from top left."""
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


def test_turning_clockwise_moves_the_top_left_to_the_top_right() -> None:
    """Four turns by 90 degrees are none."""
    page = np.zeros((2, 3, 3), np.uint8)
    page[0, 0] = 255
    assert turn_clockwise(page, 90)[0, -1].all()
    assert turn_clockwise(page, 180)[-1, -1].all()
    assert turn_clockwise(page, 270)[-1, 0].all()
    assert turn_clockwise(page, 0) is page


def test_a_crop_holds_the_pixels_of_its_quad() -> None:
    """An upright quad is cut out as it stands."""
    page = np.random.default_rng(0).integers(0, 256, (100, 200, 3), dtype=np.uint8)
    crop = crop_lines(page, quad(20, 30, 120, 60)[None])[0]
    assert crop.upright
    np.testing.assert_array_equal(crop.pixels, page[30:60, 20:120])


def test_a_line_on_its_side_is_laid_flat_and_its_quad_starts_where_the_crop_does() -> None:
    """Turned counter-clockwise, the crop's top left is the quad's top right."""
    page = np.zeros((200, 100, 3), np.uint8)
    page[20:30, 50:60] = 255
    crop = crop_lines(page, quad(40, 20, 60, 180)[None])[0]
    assert not crop.upright
    assert crop.pixels.shape == (20, 160, 3)
    assert crop.quad[0].tolist() == [60, 20]
    assert crop.pixels[:10, :10].mean() > 200


def test_a_quad_without_area_is_left_out() -> None:
    """A crop has at least one pixel."""
    assert crop_lines(np.zeros((50, 50, 3), np.uint8), quad(10, 10, 10, 10)[None]) == []


def test_half_of_a_quad() -> None:
    """Shares run along the text."""
    assert cut_quad(quad(0, 0, 100, 10), 0.5, 1.0).tolist() == quad(50, 0, 100, 10).tolist()


def test_rows_are_read_from_left_to_right_even_when_the_scan_is_a_little_askew() -> None:
    """Boxes of one row differ in height by less than half a line."""
    quads = np.stack([quad(300, 12, 400, 32), quad(0, 10, 100, 30), quad(0, 50, 100, 70), quad(150, 8, 250, 28)])
    assert order_rows(quads) == [1, 3, 0, 2]


def test_a_tall_logo_does_not_swallow_the_lines_beside_it() -> None:
    """Three lines beside one tall box stay three rows."""
    quads = np.stack([quad(0, 0, 50, 100), quad(60, 0, 200, 20), quad(60, 40, 200, 60), quad(60, 80, 200, 100)])
    order = order_rows(quads)
    assert [index for index in order if index] == [1, 2, 3]


@pytest.mark.parametrize("count", [0, 1])
def test_few_quads_are_in_order(count: int) -> None:
    """No quad and one quad need no sorting."""
    assert order_rows(np.zeros((count, 4, 2), np.float32)) == list(range(count))

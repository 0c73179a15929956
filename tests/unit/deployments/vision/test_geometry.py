"""Cutting, turning and ordering."""

import cv2
import numpy as np
import pytest

from deployments.vision.geometry import (
    crop_lines,
    cut_content,
    cut_quad,
    turn_clockwise,
    view_for_orientation,
)


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


@pytest.mark.parametrize(
    "corners",
    [
        (0, 0, 200, 100),
        (3, 5, 4, 6),
        (150, 70, 200, 100),
        (-10, -5, 60, 20),
        (150, 80, 230, 120),
        (20.5, 30.5, 120.5, 60.5),
    ],
)
def test_a_crop_is_what_a_perspective_transform_gives(corners: tuple[float, float, float, float]) -> None:
    """Whether its pixels are copied or computed; beyond the page its edge goes on."""
    page = np.random.default_rng(1).integers(0, 256, (100, 200, 3), dtype=np.uint8)
    x0, y0, x1, y1 = map(int, corners)
    size = (x1 - x0, y1 - y0)
    there = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], np.float32)
    transform = cv2.getPerspectiveTransform(quad(x0, y0, x1, y1), there)
    expected = cv2.warpPerspective(
        page, transform, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    (crop,) = crop_lines(page, quad(*corners)[None])
    np.testing.assert_array_equal(crop.pixels, expected)
    assert not np.shares_memory(crop.pixels, page)


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


def test_content_is_cut_out_of_a_nearly_empty_page() -> None:
    """What stands in a corner fills the view; an empty page stays whole."""
    page = np.full((1600, 1200, 3), 255, np.uint8)
    assert cut_content(page).shape == page.shape
    page[100:200, 50:450] = 0
    content = cut_content(page)
    assert content.shape[0] < 160
    assert content.shape[1] < 460
    assert (content == 0).sum() == 100 * 400 * 3


@pytest.mark.parametrize("side", [799, 800, 801, 1_599, 1_601, 5_003])
def test_content_at_the_very_edge_of_a_page_of_any_size_is_not_lost(side: int) -> None:
    """Though the copy on which it is looked for leaves the last pixels out."""
    page = np.full((side, side, 3), 255, np.uint8)
    page[-40:, -60:] = 0
    assert (cut_content(page) == 0).sum() == 40 * 60 * 3


@pytest.mark.parametrize("shape", [(1, 30_000), (30_000, 1), (3, 2_000), (2, 2), (1, 801)])
def test_strips_are_looked_at_without_growing(shape: tuple[int, int]) -> None:
    """A page of one row, which would be millions of pixels long at the height that is looked at."""
    for ink in (255, 0):
        page = np.full((*shape, 3), 255, np.uint8)
        page[-1, -1] = ink
        for view in view_for_orientation(page, 256):
            assert min(view.shape[:2]) == 256
            assert max(view.shape[:2]) <= 16 * 256

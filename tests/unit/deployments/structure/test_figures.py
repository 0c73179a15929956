"""Cutting figures out of pages."""

import cv2
import numpy as np
import pytest

from deployments.blocks import Block, Box
from deployments.structure.figures import cut_figures


def decode(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


@pytest.fixture
def pixels() -> np.ndarray:
    """A drawing: an even area with a frame."""
    page = np.full((200, 300, 3), 255, np.uint8)
    cv2.rectangle(page, (50, 40), (150, 120), (0, 0, 200), 3)
    return page


def test_a_drawing_is_kept_exactly(pixels: np.ndarray) -> None:
    """As PNG, all pixels that the box touches."""
    (block,) = cut_figures((Block("figure", (40.4, 30.0, 160.2, 130.9), ""),), pixels)
    assert block.picture is not None
    assert (block.picture.media_type, block.picture.width, block.picture.height) == ("image/png", 121, 101)
    assert np.array_equal(decode(block.picture.data), pixels[30:131, 40:161])


def test_a_photograph_is_a_jpeg() -> None:
    """Where that is much smaller."""
    noise = np.random.default_rng(1).integers(0, 255, (60, 80, 3), np.uint8)
    photo = cv2.resize(noise, (800, 600), interpolation=cv2.INTER_CUBIC)
    (block,) = cut_figures((Block("figure", (0, 0, 800, 600), ""),), photo)
    assert block.picture is not None
    assert block.picture.media_type == "image/jpeg"
    assert np.abs(decode(block.picture.data).astype(int) - photo).mean() < 5


@pytest.mark.parametrize("kind", ["figure", "formula"])
def test_figures_and_formulas_have_a_picture(pixels: np.ndarray, kind: str) -> None:
    """Whether text was read in them or not."""
    blocks = (Block(kind, (0, 0, 9, 9), "x = 1", (0,)), Block("text", (0, 0, 9, 9), "text", (1,)))
    figure, text = cut_figures(blocks, pixels)
    assert figure.picture is not None
    assert text == blocks[1]


@pytest.mark.parametrize("box", [(400, 10, 500, 60), (10, 10, 10, 10), (-50, -50, -10, -10)])
def test_a_box_without_pixels_has_no_picture(pixels: np.ndarray, box: Box) -> None:
    """It lies beside the page, or is empty."""
    (block,) = cut_figures((Block("figure", box, ""),), pixels)
    assert block.picture is None


def test_a_box_over_the_edge_has_the_pixels_that_there_are(pixels: np.ndarray) -> None:
    """Networks are not exact."""
    (block,) = cut_figures((Block("figure", (-5, -5, 20, 10), ""),), pixels)
    assert block.picture is not None
    assert (block.picture.width, block.picture.height) == (20, 10)

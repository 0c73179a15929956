"""A page with what was found drawn over it."""

import cv2
import numpy as np

from deployments.blocks import Block, Table, TableCell
from deployments.document import Line, Page
from deployments.vision.overlay import draw_overlay

QUAD = np.array([[120, 300], [280, 300], [280, 330], [120, 330]], np.float32)


def draw(page: Page, pixels: np.ndarray) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(draw_overlay(pixels, page), np.uint8), cv2.IMREAD_COLOR)


def test_boxes_lines_and_cells_are_drawn_where_they_are() -> None:
    """Each in a colour of its own; what lies between them is the page."""
    pixels = np.full((600, 400, 3), 255, np.uint8)
    cells = (TableCell(0, 0, 1, 1, False, "", (120, 450, 280, 500)),)
    page = Page(
        1,
        400,
        600,
        lines=(Line("text", 0.9, QUAD),),
        blocks=(Block("text", (100, 200, 300, 400), "text", (0,)), Block("table", (100, 430, 300, 520), "")),
        tables=(Table(1, 1, cells, (100, 430, 300, 520), 0.9),),
    )
    drawn = draw(page, pixels)
    block, line, cell = drawn[399, 200], drawn[330, 200], drawn[500, 200]
    colours = {tuple(colour.tolist()) for colour in (block, line, cell)}
    assert len(colours) == 3
    assert (255, 255, 255) not in colours
    assert drawn[380, 200].tolist() == [255, 255, 255]
    assert (pixels == 255).all()


def test_labels_stay_on_the_page() -> None:
    """Of blocks at its edges, and of boxes that reach beyond."""
    pixels = np.full((300, 200, 3), 255, np.uint8)
    for box in ((0, 0, 50, 50), (190, 290, 230, 330), (-40, -40, 10, 10)):
        drawn = draw(Page(1, 200, 300, blocks=(Block("reference", box, ""),)), pixels)
        assert drawn.shape == pixels.shape
        # The label is filled: more than the outline of a box is coloured.
        assert (drawn != 255).any(axis=2).sum() > 300


def test_a_page_of_one_pixel_is_drawn() -> None:
    """Nothing divides by its size."""
    assert draw(Page(1, 1, 1, blocks=(Block("text", (0, 0, 1, 1), ""),)), np.zeros((1, 1, 3), np.uint8)).shape

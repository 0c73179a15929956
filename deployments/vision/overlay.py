"""A page with what was found on it drawn over its pixels, for people who look."""

from collections.abc import Mapping
from types import MappingProxyType

import cv2
import numpy as np

from deployments.blocks import Block, BlockKind, Box
from deployments.document import Image, Page

_Colour = tuple[int, int, int]
# Blue, green, red.
_COLOURS: Mapping[BlockKind, _Colour] = MappingProxyType(
    {
        "title": (40, 40, 220),
        "heading": (0, 100, 255),
        "text": (200, 110, 0),
        "list": (160, 160, 0),
        "table": (60, 150, 0),
        "figure": (180, 0, 160),
        "caption": (200, 80, 160),
        "header": (120, 120, 120),
        "footer": (120, 120, 120),
        "formula": (0, 140, 140),
        "seal": (30, 30, 160),
        "reference": (100, 60, 60),
    }
)
_OTHER: _Colour = (80, 80, 80)
_LINE_COLOUR: _Colour = (90, 200, 90)
_CELL_COLOUR: _Colour = (0, 165, 255)
_WHITE: _Colour = (255, 255, 255)
# Of a page's longer side: what is drawn can be seen when the page is shown as a whole.
_STROKE = 1 / 700
_LETTER = 1 / 110
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_overlay(pixels: Image, page: Page) -> bytes:
    """The upright page (uint8, (h, w, 3), BGR) as PNG with lines, cells and blocks drawn on it.

    Every block has its place in the reading order, from 1, and its kind; colours go by kind.
    """
    canvas = np.ascontiguousarray(pixels).copy()
    stroke = max(1, round(max(canvas.shape) * _STROKE))
    thin = max(1, stroke // 2)
    quads = [np.rint(line.quad).astype(np.int32) for line in page.lines]
    cv2.polylines(canvas, quads, True, _LINE_COLOUR, thin, cv2.LINE_AA)
    for table in page.tables:
        for cell in table.cells:
            _draw_box(canvas, cell.box, _CELL_COLOUR, thin)
    for block in page.blocks:
        _draw_box(canvas, block.box, _COLOURS.get(block.kind, _OTHER), 2 * stroke)
    # Last, so that no box hides a label.
    for number, block in enumerate(page.blocks, 1):
        _draw_label(canvas, number, block, stroke)
    return cv2.imencode(".png", canvas)[1].tobytes()


def _draw_box(canvas: Image, box: Box, colour: _Colour, stroke: int) -> None:
    left, top, right, bottom = (round(edge) for edge in box)
    cv2.rectangle(canvas, (left, top), (right, bottom), colour, stroke, cv2.LINE_AA)


def _draw_label(canvas: Image, number: int, block: Block, stroke: int) -> None:
    """The block's number and kind on its colour, over its top right corner, inside the page.

    Over its end, because what stands above a block often stops before it: a heading, a paragraph's last line.
    """
    text = f"{number} {block.kind}"
    scale = cv2.getFontScaleFromHeight(_FONT, max(8, round(max(canvas.shape) * _LETTER)), stroke)
    (width, height), base = cv2.getTextSize(text, _FONT, scale, stroke)
    left = max(0, min(round(block.box[2]), canvas.shape[1]) - width - 2 * stroke)
    bottom = max(height + base, min(round(block.box[1]), canvas.shape[0]))
    corner = (left + width + 2 * stroke, bottom)
    colour = _COLOURS.get(block.kind, _OTHER)
    cv2.rectangle(canvas, (left, bottom - height - base), corner, colour, cv2.FILLED)
    cv2.putText(canvas, text, (left + stroke, bottom - base // 2), _FONT, scale, _WHITE, stroke, cv2.LINE_AA)

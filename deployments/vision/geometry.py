"""Cutting lines out of a page, and turning pages and quads."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from deployments.blocks import Box
from deployments.document import Angle, FloatArray, Image, LineCrop, Quad

# PaddleX's `CropByPolys`: a crop this much taller than wide is a line standing on its side.
_SIDEWAYS_ASPECT = 1.5
_TURNS: dict[Angle, int] = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
# OpenCV cuts lines out of nothing longer.
MAX_SIDE_PX = 32_766
_MAX_ASPECT = 16
# Content is looked for on a copy whose longer side is no more than this.
_CONTENT_SEARCH_PX = 800
_INK_CONTRAST = 40
_CONTENT_MARGIN, _CONTENT_MARGIN_PX = 0.03, 4


def turn_clockwise(pixels: Image, angle: Angle) -> Image:
    """The page (uint8, (h, w, 3)) turned clockwise by ``angle`` degrees."""
    return pixels if angle == 0 else cv2.rotate(pixels, _TURNS[angle])


def shrink_page(pixels: Image, short_side_px: int) -> Image:
    """The page with its shorter side at ``short_side_px`` pixels, for looking at it as a whole.

    Of a strip, which would become as long as it likes, only the middle.
    """
    height, width = pixels.shape[:2]
    longest = _MAX_ASPECT * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    pixels = pixels[top : top + longest, left : left + longest]
    height, width = pixels.shape[:2]
    scale = short_side_px / min(height, width)
    size = (max(short_side_px, round(width * scale)), max(short_side_px, round(height * scale)))
    return cv2.resize(pixels, size)


def view_for_orientation(pixels: Image, short_side_px: int) -> tuple[Image, Image]:
    """A page as an orientation classifier wants to see it: as a whole, and only where something stands.

    The classifier looks at the middle of what it is shown; that of a nearly empty page says nothing.
    """
    return shrink_page(pixels, short_side_px), shrink_page(cut_content(pixels), short_side_px)


def cut_content(pixels: Image) -> Image:
    """The part of a page (uint8, (h, w, 3), BGR) where its brightness is not the usual, with a margin."""
    grey, step = _shrink_to_search(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))
    counts = np.cumsum(cv2.calcHist([grey], [0], None, [256], [0, 256]))
    usual = np.uint8(np.searchsorted(counts, grey.size // 2, side="right"))
    contrast = np.maximum(grey, usual) - np.minimum(grey, usual)
    rows = np.flatnonzero(contrast.max(axis=1) > _INK_CONTRAST)
    columns = np.flatnonzero(contrast.max(axis=0) > _INK_CONTRAST)
    if not rows.size:
        return pixels
    top, bottom = int(rows[0]) * step, int(rows[-1] + 1) * step
    left, right = int(columns[0]) * step, int(columns[-1] + 1) * step
    margin = int(_CONTENT_MARGIN * max(bottom - top, right - left)) + _CONTENT_MARGIN_PX + step
    return pixels[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]


def _shrink_to_search(grey: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """The grey page small enough to look for content, and how many pixels became one.

    A whole number of them, for which OpenCV needs a tenth of the time. What is left over at the right and
    the bottom is less than the margin of the content.
    """
    step = -(-max(grey.shape) // _CONTENT_SEARCH_PX)
    height, width = grey.shape[0] // step, grey.shape[1] // step
    if step == 1 or min(height, width) == 0:
        return grey, 1
    whole = grey[: height * step, : width * step]
    return cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False), step


def crop_lines(pixels: Image, quads: FloatArray) -> list[LineCrop]:
    """The lines of a page, laid flat; quads that hold no pixel are left out.

    Each quad (float32, (4, 2)) is first replaced by its smallest enclosing rectangle, as PaddleX's
    `CropByPolys` does, and cut out by a perspective transform with cubic interpolation.
    """
    crops = []
    for quad in quads:
        corners, _ = order_corners(quad.astype(np.int32))
        cut = _copy_upright(pixels, corners)
        if cut is None:
            cut = _cut_out(pixels, corners)
        height, width = cut.shape[:2]
        if height == 0 or width == 0:
            continue
        if height / width >= _SIDEWAYS_ASPECT:
            # Turned counter-clockwise, the right edge of the quad becomes the top of the crop.
            crops.append(
                LineCrop(cv2.rotate(cut, cv2.ROTATE_90_COUNTERCLOCKWISE), np.roll(quad, -1, 0), False)
            )
        else:
            crops.append(LineCrop(cut, quad))
    return crops


def _copy_upright(pixels: Image, corners: FloatArray) -> Image | None:
    """The pixels of an upright rectangle on whole pixels of the page, as `_cut_out` gives them; else None."""
    (left, top), (right, bottom) = corners[0].tolist(), corners[2].tolist()
    upright = [[left, top], [right, top], [right, bottom], [left, bottom]]
    is_on_pixels = left.is_integer() and top.is_integer() and right.is_integer() and bottom.is_integer()
    is_inside = left >= 0 and top >= 0 and right <= pixels.shape[1] and bottom <= pixels.shape[0]
    if not (is_on_pixels and is_inside and corners.tolist() == upright):
        return None
    return pixels[int(top) : int(bottom), int(left) : int(right)].copy()


def _cut_out(pixels: Image, corners: FloatArray) -> Image:
    """The pixels of a rectangle at any angle, laid flat; none where it is thinner than a pixel."""
    top_left, top_right, bottom_right, bottom_left = corners.tolist()
    width = int(max(math.dist(top_left, top_right), math.dist(bottom_right, bottom_left)))
    height = int(max(math.dist(top_left, bottom_left), math.dist(top_right, bottom_right)))
    if width == 0 or height == 0:
        return pixels[:0, :0]
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return cv2.warpPerspective(
        pixels,
        cv2.getPerspectiveTransform(corners, target),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )


def order_corners(points: NDArray[np.generic]) -> tuple[FloatArray, float]:
    """The smallest rectangle around points (N, 2): corners clockwise from top left, and its shorter side."""
    rectangle = cv2.minAreaRect(points)
    by_x = sorted(cv2.boxPoints(rectangle).tolist(), key=lambda point: point[0])
    left, right = by_x[:2], by_x[2:]
    top_left, bottom_left = (left[0], left[1]) if left[1][1] > left[0][1] else (left[1], left[0])
    top_right, bottom_right = (right[0], right[1]) if right[1][1] > right[0][1] else (right[1], right[0])
    corners = np.array([top_left, top_right, bottom_right, bottom_left], np.float32)
    return corners, float(min(rectangle[1]))


def flip_quad(quad: Quad) -> Quad:
    """The quad of a line that turned out to be upside down: it starts at the opposite corner."""
    return np.roll(quad, -2, axis=0)


def bound_quad(quad: FloatArray) -> Box:
    """The upright box around points of shape (N, 2)."""
    left, top = quad.min(axis=0).tolist()
    right, bottom = quad.max(axis=0).tolist()
    return left, top, right, bottom


def cut_quad(quad: Quad, start: float, end: float) -> Quad:
    """The part of a line's quad between two shares (0 to 1) of its length."""
    top_left, top_right, bottom_right, bottom_left = quad
    top, bottom = top_right - top_left, bottom_right - bottom_left
    return np.array(
        [
            top_left + top * start,
            top_left + top * end,
            bottom_left + bottom * end,
            bottom_left + bottom * start,
        ],
        np.float32,
    )

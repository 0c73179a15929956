"""Cutting lines out of a page, and turning pages and quads."""

from collections.abc import Sequence

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
# Content is looked for on a copy whose longer side is this.
_CONTENT_SEARCH_PX = 800
_INK_CONTRAST = 40
_CONTENT_MARGIN = 0.03


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
    scale = min(1.0, _CONTENT_SEARCH_PX / max(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.int16)
    ink = np.abs(grey - int(np.median(grey))) > _INK_CONTRAST
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not rows.size:
        return pixels
    top, bottom = int(rows[0] / scale), int((rows[-1] + 1) / scale)
    left, right = int(columns[0] / scale), int((columns[-1] + 1) / scale)
    margin = int(_CONTENT_MARGIN * max(bottom - top, right - left)) + 4
    return pixels[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]


def crop_lines(pixels: Image, quads: FloatArray) -> list[LineCrop]:
    """The lines of a page, laid flat; quads that hold no pixel are left out.

    Each quad (float32, (4, 2)) is first replaced by its smallest enclosing rectangle, as PaddleX's
    `CropByPolys` does, and cut out by a perspective transform with cubic interpolation.
    """
    crops = []
    for quad in quads:
        corners, _ = order_corners(quad.astype(np.int32))
        width = int(max(_distance(corners[0], corners[1]), _distance(corners[2], corners[3])))
        height = int(max(_distance(corners[0], corners[3]), _distance(corners[1], corners[2])))
        if width == 0 or height == 0:
            continue
        target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        cut = cv2.warpPerspective(
            pixels,
            cv2.getPerspectiveTransform(corners, target),
            (width, height),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        if height / width >= _SIDEWAYS_ASPECT:
            # Turned counter-clockwise, the right edge of the quad becomes the top of the crop.
            crops.append(
                LineCrop(cv2.rotate(cut, cv2.ROTATE_90_COUNTERCLOCKWISE), np.roll(quad, -1, 0), False)
            )
        else:
            crops.append(LineCrop(cut, quad))
    return crops


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


def _distance(first: Sequence[float] | FloatArray, second: Sequence[float] | FloatArray) -> float:
    return float(np.linalg.norm(np.asarray(first) - np.asarray(second)))

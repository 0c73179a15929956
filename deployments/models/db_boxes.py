"""From a text probability map to quads: the post-processing of Differentiable Binarization.

Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", AAAI 2020. Boxes, scores and
the order of rounding are those of PaddleX's `DBPostProcess` (``box_type="quad"``, ``score_mode="fast"``),
which a test compares with this one.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import pyclipper
from numpy.typing import NDArray

from deployments.document import DetectedLines, FloatArray
from deployments.vision.geometry import order_corners

_MIN_SIDE_PX = 3


@dataclass(frozen=True)
class BoxOptions:
    """``thresh`` makes a pixel text, ``box_thresh`` makes a region a line, ``unclip_ratio`` widens it."""

    thresh: float = 0.3
    box_thresh: float = 0.6
    unclip_ratio: float = 1.5
    max_candidates: int = 3000


def find_boxes(
    probability: FloatArray, page_height: int, page_width: int, options: BoxOptions
) -> DetectedLines:
    """Quads on a page of ``page_height`` x ``page_width`` pixels from a float32 map of shape (h, w)."""
    mask = (probability > options.thresh).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    map_height, map_width = probability.shape
    scale = np.array([page_width / map_width, page_height / map_height])
    limit = np.array([page_width, page_height], np.float64)
    quads, scores = [], []
    for contour in contours[: options.max_candidates]:
        corners, short_side = order_corners(contour)
        if short_side < _MIN_SIDE_PX:
            continue
        score = _score_region(probability, corners)
        if score < options.box_thresh:
            continue
        widened = _widen(corners, options.unclip_ratio)
        if widened is None:
            continue
        corners, short_side = order_corners(widened)
        if short_side < _MIN_SIDE_PX + 2:
            continue
        quads.append(np.clip(np.round(corners * scale), 0, limit))
        scores.append(score)
    return DetectedLines(
        np.array(quads, np.float32).reshape(-1, 4, 2), np.array(scores, np.float32).reshape(-1)
    )


def _score_region(probability: FloatArray, corners: FloatArray) -> float:
    """Mean probability inside a quad."""
    height, width = probability.shape
    low = np.floor(corners.min(axis=0)).astype(int)
    high = np.ceil(corners.max(axis=0)).astype(int)
    x0, x1 = np.clip([low[0], high[0]], 0, width - 1)
    y0, y1 = np.clip([low[1], high[1]], 0, height - 1)
    mask = np.zeros((y1 - y0 + 1, x1 - x0 + 1), np.uint8)
    shifted = (corners - np.array([x0, y0], np.float32)).astype(np.int32)
    cv2.fillPoly(mask, [shifted], (1.0,))
    return cv2.mean(probability[y0 : y1 + 1, x0 : x1 + 1], mask)[0]


def _widen(corners: FloatArray, unclip_ratio: float) -> NDArray[np.int32] | None:
    """The region grown outwards by area x ratio / perimeter (Vatti clipping, as in the paper)."""
    distance = cv2.contourArea(corners) * unclip_ratio / cv2.arcLength(corners, True)
    offset = pyclipper.PyclipperOffset()
    offset.AddPath(corners, pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    paths = offset.Execute(distance)
    return np.array(paths[0], np.int32).reshape(-1, 1, 2) if paths else None

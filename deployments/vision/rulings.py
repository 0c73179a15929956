"""The straight strokes that rule a table, found in its pixels.

Strokes are dark and thin across (what a morphological closing fills) and long along (what an opening leaves).
A slant of the sheet is measured on the long strokes first and taken out.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from deployments.document import FloatArray, Image

# Shorter strokes belong to letters, longer ones to the table, in parts of its shorter side and in pixels.
_MIN_STROKE_SHARE = 0.02
_MIN_STROKE_PX = 28
_MAX_THICKNESS_PX = 14
# A stroke is darker than what is beside it by this, in grey levels; faint grey ones are. A coloured cell is
# dark too, but wider than the kernel.
_INK_CONTRAST = 16
_ACROSS_PX = 25
# A slant beyond this many degrees is no sheet on a scanner; one below the other does no harm.
_MAX_SLANT_DEG = 4.0
_MIN_SLANT_DEG = 0.1


@dataclass(frozen=True)
class Stroke:
    """It stands at ``place`` and runs from ``start`` to ``end``, in pixels of the straightened table."""

    place: float
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Rulings:
    """The strokes of a table, and how to get back to its own pixels: a (2, 3) float32 affine map."""

    along: tuple[Stroke, ...]
    down: tuple[Stroke, ...]
    width: int
    height: int
    to_table: FloatArray

    def place_back(self, points: FloatArray) -> FloatArray:
        """Points (N, 2) of the straightened table in the table's own pixels."""
        moved = points @ self.to_table[:, :2].T + self.to_table[:, 2]
        return moved.astype(np.float32)


def find_rulings(pixels: Image) -> Rulings:
    """The strokes along and down a table (uint8, (h, w, 3), BGR)."""
    height, width = pixels.shape[:2]
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    along, down = _find_strokes(grey)
    slant = _measure_slant(along)
    turn = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    if _MIN_SLANT_DEG < abs(slant) < _MAX_SLANT_DEG:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), slant, 1.0).astype(np.float32)
        grey = cv2.warpAffine(grey, turn, (width, height), flags=cv2.INTER_LINEAR, borderValue=255)
        along, down = _find_strokes(grey)
    back = cv2.invertAffineTransform(turn).astype(np.float32)
    return Rulings(_collect(along), _collect(down.T), width, height, back)


def _find_strokes(grey: Image) -> tuple[Image, Image]:
    """255 where a stroke runs along, and where one runs down."""
    length = max(_MIN_STROKE_PX, int(_MIN_STROKE_SHARE * min(grey.shape)))
    hat = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((_ACROSS_PX, _ACROSS_PX), np.uint8))
    _, ink = cv2.threshold(hat, _INK_CONTRAST, 255, cv2.THRESH_BINARY)
    return _open(ink, (1, length), (_MAX_THICKNESS_PX, 1)), _open(ink, (length, 1), (1, _MAX_THICKNESS_PX))


def _open(ink: Image, shortest: tuple[int, int], thickest: tuple[int, int]) -> Image:
    """The ink in which the first kernel fits, without that in which the second one does."""
    strokes = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(shortest, np.uint8))
    return strokes & ~cv2.morphologyEx(strokes, cv2.MORPH_OPEN, np.ones(thickest, np.uint8))


def _measure_slant(along: Image) -> float:
    """Degrees by which the long strokes fall to the right, 0 where there are none."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(along, connectivity=8)
    slants, weights = [], []
    for label in range(1, count):
        left, top, width, height, _ = stats[label].tolist()
        if width < 0.2 * along.shape[1]:
            continue
        y, x = np.nonzero(labels[top : top + height, left : left + width] == label)
        slants.append(float(np.degrees(np.arctan(np.polyfit(x, y, 1)[0]))))
        weights.append(width)
    if not slants:
        return 0.0
    order = np.argsort(slants)
    reached = np.cumsum(np.array(weights)[order])
    return slants[order[int(np.searchsorted(reached, reached[-1] / 2))]]


def _collect(strokes: Image) -> tuple[Stroke, ...]:
    """The connected strokes of an image in which they lie along."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(strokes), connectivity=8)
    found = []
    for left, top, width, height, _ in stats[1:count].tolist():
        if height <= _MAX_THICKNESS_PX < width:
            found.append(Stroke(top + height / 2, float(left), float(left + width)))
    return tuple(sorted(found, key=lambda stroke: stroke.place))

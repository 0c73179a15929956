"""The order in which the lines of a page are read, from their boxes alone.

Rows from top to bottom, each from left to right; but columns of prose are read one after the other. Columns
are found as in the recursive XY-cut on bounding boxes (Ha, Haralick and Phillips, ICDAR 1995), with one
addition: a gutter may be crossed by few wide lines (a headline), which then separate what stands above from
what stands below. Label and value, or item and price, lie in columns too, but their lines are short: they
stay rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deployments.document import FloatArray

# A gutter is at least this wide, in heights of an ordinary line (boxes exceed their text), and crossed
# by at most this share of lines.
_MIN_GUTTER = 0.2
_MAX_CROSSING = 0.2
# How far from a gutter, in heights of a line, the lines of the columns beside it begin or end.
_REACH = 5.0
# A column of prose: so many lines, most of them long, and most of them as wide as the column.
_MIN_LINES = 3
_MIN_ASPECT = 8.0
_MIN_FILL = 0.5
# Two boxes belong to one row when their middles differ by less than this share of the lower one's height.
_ROW_TOLERANCE = 0.5


@dataclass(frozen=True)
class _Boxes:
    """Upright boxes around the quads of a page; each array has shape (N,)."""

    left: FloatArray
    top: FloatArray
    right: FloatArray
    bottom: FloatArray

    @property
    def height(self) -> FloatArray:
        return self.bottom - self.top

    @property
    def width(self) -> FloatArray:
        return self.right - self.left

    @property
    def middle(self) -> FloatArray:
        return (self.top + self.bottom) * np.float32(0.5)


def order_lines(quads: FloatArray) -> list[int]:
    """Indices of quads, float32 of shape (N, 4, 2), in reading order."""
    if not len(quads):
        return []
    straight = _straighten(quads)
    low, high = straight.min(axis=1), straight.max(axis=1)
    boxes = _Boxes(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
    return _order_region(np.arange(len(quads)), boxes)


def _straighten(quads: FloatArray) -> FloatArray:
    """The quads turned by the usual slant of their lines: half a degree closes a narrow gutter."""
    along = quads[:, 1] - quads[:, 0]
    lying = np.abs(along[:, 0]) > np.abs(along[:, 1])
    if not lying.any():
        return quads
    slant = float(np.median(np.arctan2(along[lying, 1], along[lying, 0])))
    cosine, sine = np.cos(slant), np.sin(slant)
    turn = np.array([[cosine, -sine], [sine, cosine]], np.float32)
    return quads @ turn


def _order_region(indices: NDArray[np.intp], boxes: _Boxes) -> list[int]:
    gutter = _find_gutter(indices, boxes)
    if gutter is None:
        return _order_rows(indices, boxes)
    left, right, crossing = _split(indices, gutter, boxes)
    edges = [float(boxes.middle[index]) for index in _order_rows(crossing, boxes)]
    ordered: list[int] = []
    for number, (above, below) in enumerate(zip([-np.inf, *edges], [*edges, np.inf], strict=True)):
        parts = [side[(boxes.middle[side] >= above) & (boxes.middle[side] < below)] for side in (left, right)]
        if _reads_down(parts):
            ordered += [index for part in parts for index in _order_region(part, boxes)]
        else:
            ordered += _order_rows(np.concatenate(parts), boxes)
        if number < len(edges):
            ordered.append(_order_rows(crossing, boxes)[number])
    return ordered


def _reads_down(parts: Sequence[NDArray[np.intp]]) -> bool:
    """Whether two parts beside each other are columns, not rows of a table."""
    return all(len(part) for part in parts) and any(len(part) >= _MIN_LINES for part in parts)


def _find_gutter(indices: NDArray[np.intp], boxes: _Boxes) -> float | None:
    """The x of the least crossed, then widest gap between columns of prose, or None."""
    if len(indices) < 2 * _MIN_LINES:
        return None
    line_height = float(np.median(boxes.height[indices]))
    edges = np.unique(np.concatenate([boxes.left[indices], boxes.right[indices]]))
    candidates = []
    for start, end in _quiet_stretches(indices, edges, boxes):
        if end - start < _MIN_GUTTER * line_height:
            continue
        x, reach = (start + end) / 2, (end - start) / 2 + _REACH * line_height
        left, right, crossing = _split(indices, x, boxes)
        # Only what stands beside the gutter is judged: behind it there may be more columns.
        beside = (left[boxes.right[left] >= x - reach], right[boxes.left[right] <= x + reach])
        if all(_is_prose(side, boxes) for side in beside):
            candidates.append((-len(crossing), end - start, x))
    return max(candidates)[2] if candidates else None


def _quiet_stretches(
    indices: NDArray[np.intp], edges: FloatArray, boxes: _Boxes
) -> list[tuple[float, float]]:
    """Stretches of x between two edges of boxes that few boxes cover."""
    allowed = int(_MAX_CROSSING * len(indices))
    stretches: list[tuple[float, float]] = []
    previous: int | None = None
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        covering = int(((boxes.left[indices] <= start) & (boxes.right[indices] >= end)).sum())
        if covering > allowed:
            previous = None
            continue
        if previous == covering and stretches and stretches[-1][1] == start:
            stretches[-1] = (stretches[-1][0], end)
        else:
            stretches.append((start, end))
        previous = covering
    return stretches


def _split(
    indices: NDArray[np.intp], x: float, boxes: _Boxes
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Indices left of, right of and across a vertical line."""
    is_left, is_right = boxes.right[indices] <= x, boxes.left[indices] >= x
    return indices[is_left], indices[is_right], indices[~is_left & ~is_right]


def _is_prose(indices: NDArray[np.intp], boxes: _Boxes) -> bool:
    """Whether lines look like running text: some long ones that fill their column."""
    if len(indices) < _MIN_LINES:
        return False
    width = boxes.width[indices]
    aspect = float(np.median(width / np.maximum(boxes.height[indices], 1.0)))
    column = float(boxes.right[indices].max() - boxes.left[indices].min())
    return aspect >= _MIN_ASPECT and float(np.median(width)) >= _MIN_FILL * column


def _order_rows(indices: NDArray[np.intp], boxes: _Boxes) -> list[int]:
    """Rows from top to bottom, each from left to right."""
    rows: list[list[int]] = []
    for index in indices[np.argsort(boxes.middle[indices], kind="stable")].tolist():
        if rows and _share_row(rows[-1][0], index, boxes):
            rows[-1].append(index)
        else:
            rows.append([index])
    return [index for row in rows for index in sorted(row, key=lambda i: float(boxes.left[i]))]


def _share_row(first: int, second: int, boxes: _Boxes) -> bool:
    # The lower box decides: a tall logo must not swallow the small lines beside it.
    tolerance = _ROW_TOLERANCE * min(float(boxes.height[first]), float(boxes.height[second]))
    return abs(float(boxes.middle[first]) - float(boxes.middle[second])) < max(tolerance, 1.0)

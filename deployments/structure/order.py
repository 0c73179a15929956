"""The order in which the blocks of a page are read, from their boxes alone.

A recursive XY-cut on boxes (Ha, Haralick and Phillips, "Recursive X-Y cut using bounding boxes of connected
components", ICDAR 1995). Rows come from the top, but rows that share a gutter are columns, and each of them
is read to its end: two columns of paragraphs have gaps in the same places now and then.
"""

from collections.abc import Sequence

from deployments.blocks import Box

# Columns stand beside each other for at least this share of the lower one's height, else they are rows.
_MIN_BESIDE = 0.3


def order_blocks(boxes: Sequence[Box]) -> list[int]:
    """Indices of the boxes in reading order."""
    return _order(list(range(len(boxes))), [_shrink(box) for box in boxes])


def _shrink(box: Box) -> Box:
    """A little smaller: boxes of neighbours overlap by a few pixels."""
    left, top, right, bottom = box
    dx, dy = min(0.02 * (right - left), 4.0), min(0.1 * (bottom - top), 4.0)
    return left + dx, top + dy, right - dx, bottom - dy


def _order(members: list[int], boxes: Sequence[Box]) -> list[int]:
    if len(members) < 2:
        return members
    columns = _find_columns(members, boxes)
    if columns is not None:
        return [index for column in columns for index in _order(column, boxes)]
    rows = _merge_columned(_split(members, boxes, axis=1), boxes)
    if len(rows) > 1:
        return [index for row in rows for index in _order(row, boxes)]
    # They overlap: the upper one first, and of two at one height the left one.
    return sorted(members, key=lambda index: (boxes[index][1], boxes[index][0]))


def _find_columns(members: Sequence[int], boxes: Sequence[Box]) -> list[list[int]] | None:
    """The members left and right of a gutter, None where there is no gutter between columns."""
    strips = _split(members, boxes, axis=0)
    for cut in range(1, len(strips)):
        left = [index for strip in strips[:cut] for index in strip]
        right = [index for strip in strips[cut:] for index in strip]
        if _stand_beside(left, right, boxes):
            return [left, right]
    return None


def _stand_beside(left: Sequence[int], right: Sequence[int], boxes: Sequence[Box]) -> bool:
    extents = [(min(boxes[i][1] for i in side), max(boxes[i][3] for i in side)) for side in (left, right)]
    (top_left, bottom_left), (top_right, bottom_right) = extents
    shared = min(bottom_left, bottom_right) - max(top_left, top_right)
    return shared > _MIN_BESIDE * min(bottom_left - top_left, bottom_right - top_right)


def _split(members: Sequence[int], boxes: Sequence[Box], axis: int) -> list[list[int]]:
    """The members in groups between which a straight line passes; axis 0 cuts along x, 1 along y."""
    groups: list[list[int]] = []
    reached = float("-inf")
    for index in sorted(members, key=lambda member: boxes[member][axis]):
        if boxes[index][axis] >= reached or not groups:
            groups.append([])
        groups[-1].append(index)
        reached = max(reached, boxes[index][axis + 2])
    return groups


def _merge_columned(rows: Sequence[list[int]], boxes: Sequence[Box]) -> list[list[int]]:
    """Rows below each other that have a gutter in common, joined."""
    merged: list[list[int]] = []
    for row in rows:
        if merged:
            together = [*merged[-1], *row]
            if _has_columns(row, boxes) and _find_columns(together, boxes) is not None:
                merged[-1] = together
                continue
        merged.append(row)
    return merged


def _has_columns(row: Sequence[int], boxes: Sequence[Box]) -> bool:
    return len(_split(row, boxes, axis=0)) > 1

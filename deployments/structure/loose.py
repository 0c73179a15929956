"""Lines that no region holds: which of them are a row of a form, and which rows are a block."""

import re
from collections.abc import Sequence

from deployments.blocks import Box
from deployments.document import Line
from deployments.structure.regions import surround
from deployments.vision.geometry import bound_quad

# Rows are one block when they are nearer than this, in heights of a line, and of one size.
_MAX_GAP, _SAME_SIZE = 1.2, 0.5
# Lines stand on one row when their middles differ by less than this share of the lower one's height.
_SAME_ROW = 0.5
# What asks for something to its right, and what belongs to something on its left.
_LABEL = re.compile(r".*[:：]\s*$")
_AMOUNT = re.compile(r"[^\w]*\d[\d.,:\s%()$€£¥₩/+-]*(?:[^\W\d_]{1,3})?[^\w]*")


def group_loose(indices: Sequence[int], lines: Sequence[Line]) -> list[list[int]]:
    """Lines in groups that stand closely below each other.

    A label and what stands beside it are a row, and so are a name and its amount: else a form would be read
    label after label.
    """
    rows = _link_rows(indices, lines)
    groups: list[list[list[int]]] = []
    for row in sorted(rows, key=lambda row: _bound(row, lines)[1]):
        box = _bound(row, lines)
        for group in groups:
            if _belong_together(_bound(group[-1], lines), box):
                group.append(row)
                break
        else:
            groups.append([row])
    return [[index for row in group for index in row] for group in groups]


def _bound(row: Sequence[int], lines: Sequence[Line]) -> Box:
    return surround([bound_quad(lines[index].quad) for index in row])


def _link_rows(indices: Sequence[int], lines: Sequence[Line]) -> list[list[int]]:
    """Each line with those to its right that belong to it."""
    boxes = {index: bound_quad(lines[index].quad) for index in indices}
    rows: list[list[int]] = []
    taken: set[int] = set()
    for index in sorted(indices, key=lambda index: boxes[index][0]):
        if index in taken:
            continue
        row = [index]
        while (following := _find_beside(row[-1], boxes, taken | set(row))) is not None:
            if not _is_linked(lines[row[-1]].text, lines[following].text):
                break
            row.append(following)
        taken.update(row)
        rows.append(row)
    return rows


def _find_beside(index: int, boxes: dict[int, Box], taken: set[int]) -> int | None:
    """The nearest line to the right on the same row."""
    _, top, right, bottom = boxes[index]
    beside = [
        other
        for other, box in boxes.items()
        if other not in taken
        and box[0] >= right
        and abs(box[1] + box[3] - top - bottom) / 2 < _SAME_ROW * min(bottom - top, box[3] - box[1])
    ]
    return min(beside, key=lambda other: boxes[other][0], default=None)


def _is_linked(left: str, right: str) -> bool:
    if _LABEL.match(left):
        return not _LABEL.match(right)
    return bool(_AMOUNT.fullmatch(right)) and not _AMOUNT.fullmatch(left)


def _belong_together(last: Box, box: Box) -> bool:
    """Whether a row goes on below another one, of its size."""
    height, last_height = box[3] - box[1], last[3] - last[1]
    shared = min(box[2], last[2]) - max(box[0], last[0])
    near = box[1] - last[3] < _MAX_GAP * min(height, last_height)
    return near and abs(height - last_height) < _SAME_SIZE * max(height, last_height) and shared > 0

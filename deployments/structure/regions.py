"""What the layout network sees on a page, put right: which regions hold, and which lines each of them has."""

from collections.abc import Sequence

import numpy as np

from deployments.blocks import Box, Region
from deployments.document import Line
from deployments.vision.geometry import bound_quad

# Of two regions, one lies in the other when this share of it does.
_INSIDE = 0.7
# A line belongs to a region that covers this share of it.
_COVERED = 0.5
# A figure that is filled with text to this share, by so many lines, is the ground on which the text stands: a
# photographed page, a coloured box. It has long lines, or is as large as half of the page.
_TEXT_SHARE, _MIN_LINES = 0.1, 5
_LONG_ASPECT, _MIN_LONG_LINES = 8.0, 3
_PAGE_SHARE = 0.5


def choose_regions(regions: Sequence[Region]) -> list[Region]:
    """The regions without those that lie inside a surer one, or a larger one of the same kind."""
    chosen: list[Region] = []
    for region in sorted(regions, key=lambda region: -region.confidence):
        if all(share_inside(region.box, other.box) < _INSIDE for other in chosen):
            # The surer one may be the smaller: then it is a part of this one.
            chosen = [other for other in chosen if not _is_part(other, region)]
            chosen.append(region)
    return chosen


def _is_part(part: Region, whole: Region) -> bool:
    same = part.kind == whole.kind or {part.kind, whole.kind} <= {"text", "list"}
    return same and share_inside(part.box, whole.box) >= _INSIDE


def drop_grounds(regions: Sequence[Region], lines: Sequence[Line], page_px: int) -> list[Region]:
    """The regions without figures that are only the ground of text; ``page_px`` is the page's area."""
    members = share_out(regions, lines)
    return [
        region
        for region, inside in zip(regions, members, strict=True)
        if region.kind != "figure" or not _is_ground(region, [lines[index] for index in inside], page_px)
    ]


def _is_ground(figure: Region, lines: Sequence[Line], page_px: int) -> bool:
    boxes = [bound_quad(line.quad) for line in lines]
    area = measure_area(figure.box)
    if len(boxes) < _MIN_LINES or sum(map(measure_area, boxes)) < _TEXT_SHARE * area:
        return False
    long_lines = sum(right - left > _LONG_ASPECT * (bottom - top) for left, top, right, bottom in boxes)
    return long_lines >= _MIN_LONG_LINES or area >= _PAGE_SHARE * page_px


def share_out(regions: Sequence[Region], lines: Sequence[Line]) -> list[list[int]]:
    """For each region the lines that belong to it."""
    members: list[list[int]] = [[] for _ in regions]
    for index, line in enumerate(lines):
        shares = [share_inside(bound_quad(line.quad), region.box) for region in regions]
        best = int(np.argmax(shares)) if shares else -1
        if best >= 0 and shares[best] >= _COVERED:
            members[best].append(index)
    return members


def share_inside(inner: Box, outer: Box) -> float:
    """The share of ``inner`` that lies in ``outer``."""
    width = min(inner[2], outer[2]) - max(inner[0], outer[0])
    height = min(inner[3], outer[3]) - max(inner[1], outer[1])
    area = measure_area(inner)
    return max(0.0, width) * max(0.0, height) / area if area > 0 else 0.0


def measure_area(box: Box) -> float:
    """Width times height."""
    return (box[2] - box[0]) * (box[3] - box[1])


def surround(boxes: Sequence[Box]) -> Box:
    """The box around some boxes, of which there is one at least."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)

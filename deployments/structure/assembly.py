"""From regions and lines to the blocks of a page in reading order."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deployments.blocks import Block, Box, Region, Table, TableGrid
from deployments.document import Image, Line
from deployments.structure.order import order_blocks
from deployments.structure.paragraphs import is_list, join_lines, split_items
from deployments.structure.tables import fill_table
from deployments.vision.reading_order import order_lines

# Of two regions, one lies in the other when this share of it does.
_INSIDE = 0.7
# A line belongs to a region that covers this share of it.
_COVERED = 0.5
# Lines that no region holds are one block when they are nearer than this, in heights of a line.
_MAX_LINE_GAP = 0.8
# Headings whose lines' heights differ by less than this share are of one level.
_SAME_SIZE = 0.15
_MAX_LEVEL = 6
# The first heading of a page is the title when its lines are so much higher than those of the other headings.
_TITLE_SIZE = 1.15
_TITLE_REACH = 0.4
_TEXTUAL = ("text", "heading", "title", "caption", "header", "footer", "reference", "list")


def choose_regions(regions: Sequence[Region]) -> list[Region]:
    """The regions without those that lie inside a surer one, or a larger one of the same kind."""
    chosen: list[Region] = []
    for region in sorted(regions, key=lambda region: -region.confidence):
        if all(_share_inside(region.box, other.box) < _INSIDE for other in chosen):
            # The surer one may be the smaller: then it is a part of this one.
            chosen = [other for other in chosen if not _is_part(other, region)]
            chosen.append(region)
    return chosen


def _is_part(part: Region, whole: Region) -> bool:
    same = part.kind == whole.kind or {part.kind, whole.kind} <= {"text", "list"}
    return same and _share_inside(part.box, whole.box) >= _INSIDE


def cut_tables(regions: Sequence[Region], pixels: Image) -> list[Image]:
    """The pixels of each region that is a table."""
    height, width = pixels.shape[:2]
    return [
        pixels[top:bottom, left:right]
        for left, top, right, bottom in (_frame(region, width, height) for region in _tables_of(regions))
    ]


def fill_tables(
    regions: Sequence[Region], grids: Sequence[TableGrid], lines: Sequence[Line]
) -> tuple[Table, ...]:
    """The tables of a page from the grids of its regions, in the regions' order; none without grids."""
    if not grids:
        return ()
    members = dict(zip(map(id, regions), _share_out(regions, lines), strict=True))
    return tuple(
        fill_table(grid, lines, members[id(region)], region.box)
        for region, grid in zip(_tables_of(regions), grids, strict=True)
    )


def _tables_of(regions: Sequence[Region]) -> list[Region]:
    return [region for region in regions if region.kind == "table"]


def _frame(region: Region, width: int, height: int) -> tuple[int, int, int, int]:
    """Whole pixels around a region, at least one of them."""
    left, top = min(int(region.box[0]), width - 1), min(int(region.box[1]), height - 1)
    return left, top, max(left + 1, math.ceil(region.box[2])), max(top + 1, math.ceil(region.box[3]))


def assemble_blocks(
    regions: Sequence[Region], lines: Sequence[Line], tables: Sequence[Table], height: int
) -> tuple[Block, ...]:
    """The blocks of a page in reading order; every line is in exactly one of them.

    ``tables`` are those of the regions of that kind, in the regions' order; ``height`` is the page's.
    """
    members = _share_out(regions, lines)
    blocks: list[Block] = []
    table_numbers = iter(range(len(tables)))
    for region, inside in zip(regions, members, strict=True):
        if region.kind == "table":
            number = next(table_numbers, None)
            text = "\n".join(lines[index].text for index in inside)
            blocks.append(Block("table", region.box, text, tuple(inside), region.confidence, table=number))
        elif inside or region.kind not in _TEXTUAL:
            blocks.append(_make_block(region, inside, lines))
    held = {index for inside in members for index in inside}
    for group in _group_loose([index for index in range(len(lines)) if index not in held], lines):
        blocks.append(_make_block(None, group, lines))
    ordered = [blocks[index] for index in _order_with_margins(blocks)]
    return tuple(_level_headings(ordered, lines, height))


def _share_out(regions: Sequence[Region], lines: Sequence[Line]) -> list[list[int]]:
    """For each region the lines that belong to it."""
    members: list[list[int]] = [[] for _ in regions]
    for index, line in enumerate(lines):
        shares = [_share_inside(bound(line), region.box) for region in regions]
        best = int(np.argmax(shares)) if shares else -1
        if best >= 0 and shares[best] >= _COVERED:
            members[best].append(index)
    return members


def bound(line: Line) -> Box:
    """The upright box around a line."""
    left, top = line.quad.min(axis=0).tolist()
    right, bottom = line.quad.max(axis=0).tolist()
    return left, top, right, bottom


def _share_inside(inner: Box, outer: Box) -> float:
    """The share of ``inner`` that lies in ``outer``."""
    width = min(inner[2], outer[2]) - max(inner[0], outer[0])
    height = min(inner[3], outer[3]) - max(inner[1], outer[1])
    area = (inner[2] - inner[0]) * (inner[3] - inner[1])
    return max(0.0, width) * max(0.0, height) / area if area > 0 else 0.0


def _make_block(region: Region | None, members: Sequence[int], lines: Sequence[Line]) -> Block:
    ordered = (
        [members[i] for i in order_lines(np.array([lines[index].quad for index in members]))]
        if members
        else []
    )
    texts = [lines[index].text for index in ordered]
    kind = region.kind if region else "text"
    if kind in ("text", "list"):
        kind = "list" if is_list(texts) else "text"
    if kind == "list":
        text = "\n".join(join_lines([texts[i] for i in item]) for item in split_items(texts))
    else:
        text = join_lines(texts)
    box = region.box if region else _surround([bound(lines[index]) for index in members])
    return Block(kind, box, text, tuple(ordered), region.confidence if region else None)


def _surround(boxes: Sequence[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _group_loose(indices: Sequence[int], lines: Sequence[Line]) -> list[list[int]]:
    """Lines that no region holds, in groups that stand closely below each other."""
    groups: list[list[int]] = []
    for index in sorted(indices, key=lambda number: bound(lines[number])[1]):
        box = bound(lines[index])
        height = box[3] - box[1]
        for group in groups:
            last = bound(lines[group[-1]])
            shared = min(box[2], last[2]) - max(box[0], last[0])
            near = box[1] - last[3] < _MAX_LINE_GAP * min(height, last[3] - last[1])
            alike = abs(height - (last[3] - last[1])) < 0.5 * max(height, last[3] - last[1])
            if near and alike and shared > 0:
                group.append(index)
                break
        else:
            groups.append([index])
    return groups


def _order_with_margins(blocks: Sequence[Block]) -> list[int]:
    """Headers first and footers last; between them as the boxes lie."""

    def order_of(*kinds: str, others: bool = False) -> list[int]:
        chosen = [i for i, block in enumerate(blocks) if (block.kind in kinds) != others]
        return [chosen[i] for i in order_blocks([blocks[index].box for index in chosen])]

    return [*order_of("header"), *order_of("header", "footer", others=True), *order_of("footer")]


def _level_headings(blocks: Sequence[Block], lines: Sequence[Line], height: int) -> list[Block]:
    """Headings with their levels by the height of their lines, the first perhaps as the title."""
    sizes = {
        index: max(bound(lines[line])[3] - bound(lines[line])[1] for line in block.lines)
        for index, block in enumerate(blocks)
        if block.kind == "heading" and block.lines
    }
    if not sizes:
        return list(blocks)
    first = min(sizes)
    others = [size for index, size in sizes.items() if index != first]
    at_top = blocks[first].box[1] < _TITLE_REACH * height
    levelled = list(blocks)
    if at_top and (not others or sizes[first] >= _TITLE_SIZE * max(others)):
        levelled[first] = replace(blocks[first], kind="title", level=1)
        del sizes[first]
    level, last = 1, float("inf")
    for index in sorted(sizes, key=lambda number: -sizes[number]):
        if sizes[index] < (1 - _SAME_SIZE) * last:
            level, last = min(level + 1, _MAX_LEVEL), sizes[index]
        levelled[index] = replace(blocks[index], level=level)
    return levelled

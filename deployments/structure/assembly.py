"""From regions and lines to the blocks of a page in reading order."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deployments.blocks import Block, BlockKind, Region, Table
from deployments.document import Line
from deployments.structure.divided import join_divided
from deployments.structure.formulas import divide_formulas
from deployments.structure.headings import level_headings, measure_letters
from deployments.structure.joining import collect_words
from deployments.structure.lists import is_list, write_list
from deployments.structure.loose import group_loose
from deployments.structure.order import follow_places, order_blocks
from deployments.structure.paragraphs import (
    divide_paragraphs,
    fill_column,
    find_going_on,
    write_paragraph,
)
from deployments.structure.regions import share_out, surround
from deployments.vision.geometry import bound_quad
from deployments.vision.reading_order import order_lines

# Letters are large from this many times the usual height on.
_LARGE = 1.5
_TEXTUAL = ("text", "heading", "title", "caption", "header", "footer", "reference", "list")
# Of these a region may hold several below each other.
_DIVISIBLE = ("text", "list", "reference")


def assemble_blocks(
    regions: Sequence[Region], lines: Sequence[Line], tables: Sequence[tuple[Region, Table]], height: int
) -> tuple[Block, ...]:
    """The blocks of a page in reading order; every line is in exactly one of them.

    ``tables`` stand with their regions; ``height`` is the page's. A region that holds several paragraphs
    becomes several blocks. Lines beside the cells of a table are blocks of their own.
    """
    words = collect_words([line.text for line in lines])
    numbers = {id(region): number for number, (region, _) in enumerate(tables)}
    blocks: list[Block] = []
    # The place of each block in the order, where the network knows it.
    places: list[int | None] = []
    for region, inside in zip(regions, share_out(regions, lines), strict=True):
        if region.kind == "table":
            blocks.append(_make_table(region, inside, lines, numbers.get(id(region)), tables))
        elif inside:
            blocks += _make_blocks(region, inside, lines, words)
        elif region.kind not in _TEXTUAL:
            blocks.append(Block(region.kind, region.box, "", (), region.confidence))
        places += [region.order] * (len(blocks) - len(places))
    held = {index for block in blocks for index in block.lines}
    for group in group_loose([index for index in range(len(lines)) if index not in held], lines):
        blocks += _make_blocks(None, group, lines, words)
    places += [None] * (len(blocks) - len(places))
    blocks = [_correct_kind(block, lines) for block in blocks]
    ordered = join_divided([blocks[index] for index in _order_with_margins(blocks, places)], lines, words)
    return tuple(level_headings(ordered, lines, height))


def _make_table(
    region: Region,
    inside: Sequence[int],
    lines: Sequence[Line],
    number: int | None,
    tables: Sequence[tuple[Region, Table]],
) -> Block:
    """A table, or its lines below each other where nobody found its cells."""
    if number is not None:
        inside = sorted({index for cell in tables[number][1].cells for index in cell.lines})
    text = "\n".join(lines[index].text for index in inside)
    return Block("table", region.box, text, tuple(inside), region.confidence, table=number)


def _make_blocks(
    region: Region | None, members: Sequence[int], lines: Sequence[Line], words: frozenset[str]
) -> list[Block]:
    """The blocks of a region, or of lines that are in none, each with its text."""
    quads = np.array([lines[index].quad for index in members])
    ordered = [members[index] for index in order_lines(quads)]
    kind: BlockKind = region.kind if region else "text"
    confidence = region.confidence if region else None
    all_texts, all_boxes = [lines[i].text for i in ordered], [bound_quad(lines[i].quad) for i in ordered]
    groups: list[tuple[BlockKind, list[int]]] = [(kind, list(range(len(ordered))))]
    if kind in _DIVISIBLE:
        groups = [(kind, group) for group in divide_paragraphs(all_boxes, all_texts)]
    elif kind == "formula":
        parts = divide_formulas(all_boxes, all_texts)
        groups = [("text" if is_prose else "formula", part) for is_prose, part in parts]
    is_full = fill_column([[all_boxes[index] for index in group] for _, group in groups])
    blocks = []
    for kind, group in groups:
        own = [ordered[index] for index in group]
        texts, boxes = [lines[i].text for i in own], [bound_quad(lines[i].quad) for i in own]
        box = region.box if region and len(groups) == 1 else surround(boxes)
        own_kind = kind
        if kind in ("text", "list"):
            own_kind = "list" if is_list(texts, find_going_on(boxes, texts)) else "text"
        if own_kind == "list":
            text = write_list(texts, boxes, words, find_going_on(boxes, texts))
        else:
            text = write_paragraph(texts, boxes, words, is_full)
        blocks.append(Block(own_kind, box, text, tuple(own), confidence))
    return blocks


def _correct_kind(block: Block, lines: Sequence[Line]) -> Block:
    """A running head in large letters is a heading."""
    if block.kind != "header" or not block.lines:
        return block
    usual = float(np.median([measure_letters(line) for line in lines]))
    size = max(measure_letters(lines[index]) for index in block.lines)
    return replace(block, kind="heading") if size > _LARGE * usual else block


def _order_with_margins(blocks: Sequence[Block], places: Sequence[int | None]) -> list[int]:
    """Headers first and footers last; between them as the network says, or as the boxes lie."""

    def order_of(*kinds: str, others: bool = False) -> list[int]:
        chosen = [i for i, block in enumerate(blocks) if (block.kind in kinds) != others]
        order = order_blocks([blocks[index].box for index in chosen])
        return [chosen[i] for i in follow_places(order, [places[index] for index in chosen])]

    return [*order_of("header"), *order_of("header", "footer", others=True), *order_of("footer")]

"""The levels of headings, by the height of their lines: of one page, and of all pages of a document."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from deployments.blocks import Block
from deployments.document import Line, Page
from deployments.vision.geometry import bound_quad

# Headings whose lines' heights differ by less than this share are of one level.
_SAME_SIZE = 0.2
_MAX_LEVEL = 6
# The first heading is the title when its lines are so much higher than those of the others, and it stands in
# the upper part of its page.
_TITLE_SIZE = 1.15
_TITLE_REACH = 0.4

# How much of a font's height a line's letters take up: by whether some reach up, and whether some reach down.
_EXTENTS = {(True, True): 1.0, (True, False): 0.8, (False, True): 0.8, (False, False): 0.6}
_HIGH = re.compile(r"[A-Z0-9bdfhkltß-\U0010ffff]")
_DEEP = re.compile(r"[gjpqyQ,;()\[\]|\u1100-\U0010ffff]")

# The place of a heading on a page, or in a document.
KeyT = TypeVar("KeyT", int, tuple[int, int])


def level_headings(blocks: Sequence[Block], lines: Sequence[Line], height: int) -> list[Block]:
    """The blocks of a page with the levels of its headings, the first perhaps as the title."""
    sizes = {
        index: _measure_size(block, lines)
        for index, block in enumerate(blocks)
        if block.kind in ("heading", "title") and block.lines
    }
    first = min(sizes, default=None)
    has_title = first is not None and blocks[first].box[1] < _TITLE_REACH * height
    levels = _choose_levels(sizes, has_title)
    return [_set_level(block, levels.get(index)) for index, block in enumerate(blocks)]


def level_document(pages: Sequence[Page]) -> list[Page]:
    """The pages with levels that hold for all of them: what is of one size is of one level.

    Sizes are shares of the page's height, since pages may be drawn at different scales.
    """
    sizes = {
        (number, index): _measure_size(block, page.lines) / max(page.height, 1)
        for number, page in enumerate(pages)
        for index, block in enumerate(page.blocks)
        if block.kind in ("heading", "title") and block.lines
    }
    first = min(sizes, default=None)
    has_title = False
    if first is not None:
        page = pages[first[0]]
        has_title = first[0] == 0 and page.blocks[first[1]].box[1] < _TITLE_REACH * page.height
    levels = _choose_levels(sizes, has_title)
    return [
        replace(
            page,
            blocks=tuple(
                _set_level(block, levels.get((number, index))) for index, block in enumerate(page.blocks)
            ),
        )
        for number, page in enumerate(pages)
    ]


def _measure_size(block: Block, lines: Sequence[Line]) -> float:
    """The height of a heading's letters, whichever of them it has."""
    return max(measure_letters(lines[index]) for index in block.lines)


def measure_letters(line: Line) -> float:
    """The height that a line has, or would have with letters that reach up and down."""
    _, top, _, bottom = bound_quad(line.quad)
    reaches_up, reaches_down = bool(_HIGH.search(line.text)), bool(_DEEP.search(line.text))
    return (bottom - top) / _EXTENTS[reaches_up, reaches_down]


def _choose_levels(sizes: Mapping[KeyT, float], has_title: bool) -> dict[KeyT, int]:
    """Levels by size; the first one, in order of keys, may be the title."""
    levels: dict[KeyT, int] = {}
    rest = dict(sizes)
    if rest and has_title:
        first = min(rest)
        others = [size for key, size in rest.items() if key != first]
        if not others or rest[first] >= _TITLE_SIZE * max(others):
            levels[first] = 1
            del rest[first]
    level, largest = 1, float("inf")
    for key in sorted(rest, key=lambda key: -rest[key]):
        if rest[key] < (1 - _SAME_SIZE) * largest:
            level, largest = min(level + 1, _MAX_LEVEL), rest[key]
        levels[key] = level
    return levels


def _set_level(block: Block, level: int | None) -> Block:
    if level is None:
        return block
    return replace(block, kind="title" if level == 1 else "heading", level=level)

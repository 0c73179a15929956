"""Running heads, running feet and page numbers, which only the pages of a document together show.

What stands at one height on several pages with the same words, numbers aside, is no part of the text,
whatever the layout network called it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

import numpy as np

from deployments.blocks import Block, BlockKind
from deployments.document import Page
from deployments.vision.geometry import bound_quad

# Heads and feet stand in this share of a page's height at its top and at its bottom, have so many lines at
# most, and are no larger than the usual line by this factor: a large line is a title, even if each page has
# it.
_ZONE = 0.14
_MAX_LINES = 2
_MAX_SIZE = 1.5
# They stand at one height when their middles differ by less than this share of the page's height, and have
# the same words when so much of them is equal (readers err).
_SAME_PLACE = 0.015
_SAME_WORDS = 0.85
_MIN_PAGES = 2
# A page number alone, without other pages to compare, must stand this near to the edge, outside all other
# blocks, of which there are so many.
_NUMBER_ZONE = 0.1
_MIN_OTHERS = 2
_TEXTUAL = ("text", "heading", "title", "caption", "list", "reference", "header", "footer")
_PAGE_NUMBER = re.compile(
    r"[-–—·\s(\[|]*(?:page|seite|p\.?|pg\.?|第|제)?\s*"
    r"(?:\d{1,4}|(?=[ivxlc])c{0,3}(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3}))"
    r"\s*(?:(?:/|of|von|de|sur|중)\s*\d{1,4})?\s*(?:쪽|페이지|면|页|頁)?[-–—·\s)\]|]*",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class _Candidate:
    """A block that may be a running head or foot; ``place`` is its middle, in parts of the page's height."""

    page: int
    block: int
    kind: BlockKind
    words: str
    place: float


def mark_running(pages: Sequence[Page]) -> list[Page]:
    """The pages with their running heads as ``header``, first, and their running feet as ``footer``, last."""
    candidates = [
        candidate for number, page in enumerate(pages) for candidate in _find_candidates(number, page)
    ]
    marked: dict[tuple[int, int], BlockKind] = {}
    for group in _group(candidates):
        if len({candidate.page for candidate in group}) >= _MIN_PAGES:
            marked |= {(candidate.page, candidate.block): candidate.kind for candidate in group}
    for number, page in enumerate(pages):
        marked |= {(number, block): kind for block, kind in _find_page_numbers(page)}
    return [
        _mark(page, {b: kind for (n, b), kind in marked.items() if n == number})
        for number, page in enumerate(pages)
    ]


def is_page_number(text: str) -> bool:
    """Whether a text is nothing but the number of a page, perhaps with the word for it, or of how many."""
    return _PAGE_NUMBER.fullmatch(text) is not None


def _find_candidates(number: int, page: Page) -> Iterator[_Candidate]:
    heights = [bottom - top for _, top, _, bottom in (bound_quad(line.quad) for line in page.lines)]
    usual = float(np.median(heights)) if heights else 0.0
    for index, block in enumerate(page.blocks):
        if block.kind not in _TEXTUAL or not 0 < len(block.lines) <= _MAX_LINES or not page.height:
            continue
        size = max(heights[line] for line in block.lines)
        kind = _find_zone(block, page, _ZONE)
        if kind is not None and size <= _MAX_SIZE * usual:
            words = _DIGITS.sub("#", " ".join(block.text.casefold().split()))
            place = (block.box[1] + block.box[3]) / 2 / page.height
            yield _Candidate(number, index, kind, "#" if is_page_number(block.text) else words, place)


def _find_zone(block: Block, page: Page, share: float) -> BlockKind | None:
    if block.box[3] <= share * page.height:
        return "header"
    return "footer" if block.box[1] >= (1 - share) * page.height else None


def _group(candidates: Sequence[_Candidate]) -> list[list[_Candidate]]:
    """Candidates with the same words at the same height."""
    groups: dict[BlockKind, list[list[_Candidate]]] = defaultdict(list)
    for candidate in candidates:
        for group in groups[candidate.kind]:
            if _is_same(group[-1], candidate):
                group.append(candidate)
                break
        else:
            groups[candidate.kind].append([candidate])
    return [group for of_kind in groups.values() for group in of_kind]


def _is_same(one: _Candidate, other: _Candidate) -> bool:
    if abs(one.place - other.place) > _SAME_PLACE:
        return False
    if one.words == other.words:
        return True
    lengths = sorted((len(one.words), len(other.words)))
    if lengths[0] < _SAME_WORDS * lengths[1]:
        return False
    return SequenceMatcher(None, one.words, other.words, autojunk=False).ratio() >= _SAME_WORDS


def _find_page_numbers(page: Page) -> Iterator[tuple[int, BlockKind]]:
    """Page numbers at the edge of a page, outside all of its text."""
    texts = [b for b in page.blocks if b.kind not in ("header", "footer") and not is_page_number(b.text)]
    if len(texts) < _MIN_OTHERS:
        return
    top, bottom = min(block.box[1] for block in texts), max(block.box[3] for block in texts)
    found = Counter(_find_zone(b, page, _NUMBER_ZONE) for b in page.blocks if is_page_number(b.text))
    for index, block in enumerate(page.blocks):
        kind = _find_zone(block, page, _NUMBER_ZONE)
        outside = block.box[3] <= top or block.box[1] >= bottom
        if kind and outside and len(block.lines) == 1 and is_page_number(block.text) and found[kind] == 1:
            yield index, kind


def _mark(page: Page, kinds: dict[int, BlockKind]) -> Page:
    if not kinds:
        return page
    blocks = [
        replace(block, kind=kinds[index], level=None) if index in kinds else block
        for index, block in enumerate(page.blocks)
    ]
    heads = [block for block in blocks if block.kind == "header"]
    feet = [block for block in blocks if block.kind == "footer"]
    body = [block for block in blocks if block.kind not in ("header", "footer")]
    return replace(page, blocks=(*heads, *body, *feet))

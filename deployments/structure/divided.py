"""Paragraphs of which the layout network made two regions, put together again."""

from collections.abc import Sequence

from deployments.blocks import Block
from deployments.document import Line
from deployments.structure.paragraphs import ends_sentence, write_paragraph
from deployments.structure.regions import surround
from deployments.vision.geometry import bound_quad

# Lines of one paragraph are nearer to each other than this, and overlap by no more than the other, in heights
# of a line.
_MAX_GAP, _MAX_OVERLAP = 0.8, 0.5
# They begin at one edge, up to an indent, and a line that ends this near to the right edge is full.
_MAX_INDENT, _FULL = 3.0, 1.0


def join_divided(blocks: Sequence[Block], lines: Sequence[Line], words: frozenset[str]) -> list[Block]:
    """The blocks of a page, in reading order, those joined whose sentence goes on in the next one."""
    joined: list[Block] = []
    for block in blocks:
        if joined and _goes_on(joined[-1], block, lines):
            block = _join(joined.pop(), block, lines, words)
        joined.append(block)
    return joined


def _goes_on(block: Block, following: Block, lines: Sequence[Line]) -> bool:
    if block.kind != "text" or following.kind != "text" or not (block.text and following.text):
        return False
    last, first = bound_quad(lines[block.lines[-1]].quad), bound_quad(lines[following.lines[0]].quad)
    height = min(last[3] - last[1], first[3] - first[1])
    gap = first[1] - last[3]
    if not -_MAX_OVERLAP * height < gap < _MAX_GAP * height or abs(last[0] - first[0]) > _MAX_INDENT * height:
        return False
    if ends_sentence(block.text):
        return False
    letter = following.text[0]
    if letter.islower():
        return True
    # Scripts without capitals: the line before must be a full one.
    edge = max(block.box[2], following.box[2])
    return letter.isalpha() and not letter.isupper() and last[2] > edge - _FULL * height


def _join(block: Block, following: Block, lines: Sequence[Line], words: frozenset[str]) -> Block:
    own = (*block.lines, *following.lines)
    boxes = [bound_quad(lines[index].quad) for index in own]
    text = write_paragraph([lines[index].text for index in own], boxes, words)
    known = [c for c in (block.confidence, following.confidence) if c is not None]
    return Block("text", surround([block.box, following.box]), text, own, min(known, default=None))

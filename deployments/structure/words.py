"""The text of a page in reading order, down to its words: what archives keep of a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deployments.blocks import Block
from deployments.document import Line, Page, Word
from deployments.structure.lists import split_items


@dataclass(frozen=True)
class PlacedWord:
    """A word of a line; ``spaced`` when white space stands between it and the word before."""

    word: Word
    spaced: bool


def place_words(line: Line) -> list[PlacedWord]:
    """The words of a line, which together are its text; the whole line is one where they are not known."""
    placed: list[PlacedWord] = []
    position = 0
    for word in line.words or ():
        start = line.text.find(word.text, position)
        between = line.text[position:start] if start >= 0 else "?"
        if between.strip():
            break
        placed.append(PlacedWord(word, bool(placed) and bool(between)))
        position = start + len(word.text)
    if not placed or line.text[position:].strip():
        return [PlacedWord(Word(line.text, line.confidence, line.quad), False)]
    return placed


def order_lines_of_page(page: Page) -> list[int]:
    """Indices of a page's lines: block by block where there are blocks, else as they are."""
    ordered = [index for block in page.blocks for group in group_lines(block, page) for index in group]
    held = set(ordered)
    return [*ordered, *(index for index in range(len(page.lines)) if index not in held)]


def group_lines(block: Block, page: Page) -> list[Sequence[int]]:
    """The lines of a block in paragraphs: the items of a list, the cells of a table, else all as one."""
    return [group for group in _group(block, page) if group]


def _group(block: Block, page: Page) -> Iterator[Sequence[int]]:
    if block.table is not None:
        held: set[int] = set()
        for cell in page.tables[block.table].cells:
            # A line over two cells stands in the first of them.
            yield tuple(index for index in cell.lines if index not in held)
            held.update(cell.lines)
        yield [index for index in block.lines if index not in held]
    elif block.kind == "list":
        for item in split_items([page.lines[index].text for index in block.lines]):
            yield [block.lines[place] for place in item]
    else:
        yield block.lines

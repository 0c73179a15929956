"""Lines, grids and pages to try the structure on."""

import numpy as np

from deployments.blocks import Block, BlockKind, Box, Table, TableCell
from deployments.document import Line, Page, Word


def quad(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """The corners of an upright box."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def line(text: str, *box: float) -> Line:
    """A line of text at left, top, right and bottom."""
    return Line(text, 0.9, quad(*box))


def line_of_words(*words: tuple[str, float, float], top: float, bottom: float) -> Line:
    """A line whose words begin and end at the given places."""
    placed = tuple(Word(text, 0.9, quad(left, top, right, bottom)) for text, left, right in words)
    text = " ".join(word.text for word in placed)
    return Line(text, 0.9, quad(words[0][1], top, words[-1][2], bottom), placed)


def make_page(number: int, *blocks: tuple[BlockKind, str, float], tables: tuple[Table, ...] = ()) -> Page:
    """A page of 1000 x 1000 with blocks of one line, 20 pixels high, at the given heights.

    A block of the kind ``table`` is the next of the tables.
    """
    numbers = iter(range(len(tables)))
    lines = [line(text, 100, top, 900, top + 20) for _, text, top in blocks]
    made = tuple(
        Block(
            kind, (100, top, 900, top + 20), text, (index,), table=next(numbers) if kind == "table" else None
        )
        for index, (kind, text, top) in enumerate(blocks)
    )
    return Page(number, 1000, 1000, 0, tuple(lines), blocks=made, tables=tables)


def make_table(*rows: tuple[str, ...], box: Box = (100, 100, 900, 300), head: bool = False) -> Table:
    """A table with a text in each cell, its first row perhaps as its head."""
    cells = tuple(
        TableCell(y, x, 1, 1, head and y == 0, text, box)
        for y, row in enumerate(rows)
        for x, text in enumerate(row)
    )
    return Table(len(rows), len(rows[0]), cells, box, 0.9)

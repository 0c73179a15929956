"""A document with one block of each kind."""

import re

import numpy as np
import pytest

from deployments.blocks import Block, Table, TableCell
from deployments.document import Document, Line, Page, PageError, Word
from deployments.vision.geometry import cut_quad

BOX = (0.0, 0.0, 10.0, 10.0)
QUAD = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], np.float32)


def make_table(*texts: str, columns: int = 2, **first: int | bool) -> Table:
    """Texts in rows; ``first`` changes the first cell."""
    cells = [
        TableCell(index // columns, index % columns, 1, 1, False, text, BOX)
        for index, text in enumerate(texts)
    ]
    if first:
        cells[0] = TableCell(**{**vars(cells[0]), **first})  # type: ignore[arg-type]
    return Table(-(-len(texts) // columns), columns, tuple(cells), BOX, 0.9)


@pytest.fixture
def document() -> Document:
    """Two pages that were read and one that failed."""
    blocks = (
        Block("header", BOX, "The Journal"),
        Block("title", BOX, "A <title>", level=1),
        Block("text", BOX, "Five * stars & 1 < 2."),
        Block("heading", BOX, "2. Results", level=2),
        Block("list", BOX, "• one\n• two"),
        Block("table", BOX, "a b c d", table=0),
        Block("caption", BOX, "Table 1"),
        Block("figure", BOX, ""),
        Block("footer", BOX, "7"),
    )
    lines = (Line("A <title>", 0.9, QUAD),)
    first = Page(1, 100, 100, 0, lines, blocks=blocks, tables=(make_table("a", "b|c", "=1+1", "-5"),))
    failed = Page(2, error=PageError("malformed_pdf", "Page 2 cannot be drawn."))
    last = Page(3, 100, 100, 0, (), blocks=(Block("text", BOX, "# no heading"),))
    return Document((first, failed, last), 3)


def make_line(text: str, left: float, top: float, *words: Word) -> Line:
    """A level line, 20 pixels high; without other words, those that spaces divide, 10 pixels a character."""
    right = left + 10 * max(1, len(text))
    quad = np.array([[left, top], [right, top], [right, top + 20], [left, top + 20]], np.float32)
    if not words and text:
        words = tuple(
            Word(match[0], 0.9, cut_quad(quad, match.start() / len(text), match.end() / len(text)))
            for match in re.finditer(r"\S+", text)
        )
    return Line(text, 0.9, quad, words or None)


@pytest.fixture
def placed() -> Document:
    """Blocks of each kind with lines that have places, a page that failed, and one with ideographs."""
    texts = ("A <title>", "1. one", "2. two", "left", "right", "over", "in picture")
    lines = tuple(make_line(text, 10, 20 + 40 * row) for row, text in enumerate(texts))
    cells = (
        TableCell(0, 0, 1, 1, False, "left", (10, 140, 50, 160), (3,)),
        TableCell(0, 1, 1, 1, False, "right", (10, 180, 60, 200), (4,)),
        TableCell(0, 2, 1, 1, False, "", BOX),
    )
    blocks = (
        Block("title", (10, 20, 100, 40), texts[0], (0,), level=1),
        Block("list", (10, 60, 80, 120), "1. one\n2. two", (1, 2)),
        Block("table", (10, 140, 100, 240), "left right over", (3, 4, 5), table=0),
        Block("figure", (200, 10, 300, 60), ""),
        Block("figure", (10, 255, 200, 290), "in picture", (6,)),
        Block("formula", (200, 300, 300, 340), ""),
    )
    table = Table(1, 3, cells, (10, 140, 100, 240), 0.9)
    first = Page(1, 400, 500, 0, lines, blocks=blocks, tables=(table,))
    failed = Page(2, error=PageError("malformed_pdf", "Page 2 cannot be drawn."))
    left, right = (make_line(text, 10 + 10 * place, 20).quad for place, text in enumerate("停水"))
    chinese = make_line("停水", 10, 20, Word("停", 0.9, left), Word("水", 0.9, right))
    last = Page(3, 400, 500, 0, (chinese,), blocks=(Block("text", (10, 20, 30, 40), "停水", (0,)),))
    return Document((first, failed, last), 3)

"""A document with one block of each kind."""

import numpy as np
import pytest

from deployments.blocks import Block, Table, TableCell
from deployments.document import Document, Line, Page, PageError

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

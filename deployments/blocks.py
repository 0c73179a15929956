"""The vocabulary of a page's structure: what stands where, and what it is.

Boxes are (left, top, right, bottom) in pixels of the page as it is returned, unless said otherwise.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]

BlockKind = Literal[
    "title",
    "heading",
    "text",
    "list",
    "table",
    "figure",
    "caption",
    "header",
    "footer",
    "formula",
    "seal",
    "reference",
]


@dataclass(frozen=True)
class Region:
    """A part of a page as the layout network sees it, before any text is known.

    ``order`` is its place in the reading order, where the network knows it.
    """

    kind: BlockKind
    confidence: float
    box: Box
    order: int | None = None


@dataclass(frozen=True, eq=False)
class GridCell:
    """A place in a table's grid, from 0, with its corners (float32, (4, 2)) in pixels of the table's crop."""

    row: int
    column: int
    row_span: int
    column_span: int
    is_header: bool
    quad: NDArray[np.float32]


@dataclass(frozen=True)
class TableGrid:
    """The cells of a table in rows, before any text is known.

    ``confidence`` is the network's, 0 to 1; of a grid made of ruled strokes (``is_ruled``), whose cells are
    exact, the share of their sides that is ruled.
    """

    cells: tuple[GridCell, ...]
    rows: int
    columns: int
    confidence: float
    is_ruled: bool = False


@dataclass(frozen=True)
class TableCell:
    """A cell with its text, lines divided by newlines; ``lines`` are indices of the page's lines."""

    row: int
    column: int
    row_span: int
    column_span: int
    is_header: bool
    text: str
    box: Box
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table as a grid of cells, in rows from the top, each from the left.

    ``rotation`` is how far it must be turned clockwise on its page, in degrees, to stand upright; its rows
    are those of the upright table. ``continues_previous`` and ``continues_next`` say that it began on the
    page before, and goes on on the next one.
    """

    rows: int
    columns: int
    cells: tuple[TableCell, ...]
    box: Box
    confidence: float
    rotation: Literal[0, 90, 180, 270] = 0
    continues_previous: bool = False
    continues_next: bool = False


@dataclass(frozen=True)
class Picture:
    """A part of a page as the bytes of an image file; its size is in pixels."""

    media_type: Literal["image/png", "image/jpeg"]
    data: bytes
    width: int
    height: int


@dataclass(frozen=True)
class Block:
    """A part of a page in its place in the reading order.

    ``lines`` are indices of the page's lines, ``level`` is that of a heading (1 for a title), and ``table``
    the index of the page's table. ``confidence`` is None for a block that no network found. ``picture`` is
    there for figures, formulas and seals when it was asked for. ``latex`` is a formula as a network read it,
    without delimiters.
    """

    kind: BlockKind
    box: Box
    text: str
    lines: tuple[int, ...] = ()
    confidence: float | None = None
    level: int | None = None
    table: int | None = None
    picture: Picture | None = None
    latex: str | None = None

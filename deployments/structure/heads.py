"""The head of a table: which rows it has, and which of them are one."""

import re
from collections.abc import Sequence
from dataclasses import replace

from deployments.blocks import Box, TableCell
from deployments.structure.pieces import FilledCell

# Texts below each other in a head are of one cell when the gap between them is less, in heights of a line.
_SAME_CELL = 0.4
# A head has at most so many rows, and below it this share of its columns is numbers.
_MAX_HEAD_ROWS = 3
_MIN_NUMERIC = 0.5
# A number with its signs, and a short unit behind it.
_NUMBER = re.compile(r"[^\w]*\d[\d.,\s%()$€£¥₩–~:/+-]*(?:[^\W\d_]{1,3})?[^\w]*")
_YEAR = re.compile(r"(?:19|20)\d\d\D?")


def join_head(cells: list[FilledCell]) -> list[FilledCell]:
    """The cells with the first row of the head in the second one, where all its texts go on there.

    Texts of unequal height that stand on one line look like two rows to the network.
    """
    first = [item for item in cells if item.cell.row == 0 and item.pieces]
    second = [item for item in cells if item.cell.row == 1 and item.cell.is_header and item.pieces]
    below = [_find_below(item, second) for item in first if item.cell.is_header and item.cell.row_span == 1]
    if len(below) < max(2, len(first)) or None in below or len(set(below)) < len(below):
        return cells
    joined = [
        replace(item, cell=replace(item.cell, row=1, row_span=item.cell.row_span - 1))
        if item.cell.row == 0
        else item
        for item in cells
        if item.cell.row + item.cell.row_span > 1
    ]
    for upper, column in zip(first, below, strict=True):
        place = next(n for n, i in enumerate(joined) if i.cell.row == 1 and i.cell.column == column)
        lower = joined[place]
        pieces, box = (*upper.pieces, *lower.pieces), _surround(upper.box, lower.box)
        joined[place] = replace(lower, pieces=pieces, box=box)
    return joined


def _find_below(upper: FilledCell, row: Sequence[FilledCell]) -> int | None:
    """The column of the one cell of a row in which the text of a cell above goes on, if there is one."""
    box = upper.bound_text()
    height = min(piece.box[3] - piece.box[1] for piece in upper.pieces)
    found = []
    for item in row:
        left, top, right, _ = item.bound_text()
        if min(right, box[2]) > max(left, box[0]):
            if top - box[3] > _SAME_CELL * height:
                return None
            found.append(item.cell.column)
    return found[0] if len(found) == 1 else None


def _surround(one: Box, other: Box) -> Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def mark_head(cells: tuple[TableCell, ...], rows: int, columns: int) -> tuple[TableCell, ...]:
    """The cells with the head marked where nobody marked one: words above columns of numbers."""
    if any(cell.is_header for cell in cells):
        return cells
    head = 1
    while head < min(rows, _MAX_HEAD_ROWS + 1):
        # Cells that begin above and reach below belong to the head as a whole.
        reach = max((cell.row + cell.row_span for cell in cells if cell.row < head), default=head)
        if reach == head:
            break
        head = reach
    if head > _MAX_HEAD_ROWS or head >= rows:
        return cells
    above = [cell.text for cell in cells if cell.row < head and cell.text]
    if not above or any(_is_number(text) and not _YEAR.fullmatch(text) for text in above):
        return cells
    numeric = 0
    for column in range(columns):
        below = [cell.text for cell in cells if cell.row >= head and cell.column == column and cell.text]
        numeric += bool(below) and sum(map(_is_number, below)) > _MIN_NUMERIC * len(below)
    if numeric < _MIN_NUMERIC * columns or not numeric:
        return cells
    return tuple(replace(cell, is_header=cell.row < head) for cell in cells)


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text.replace("\n", " ")) is not None

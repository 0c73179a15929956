"""From a table's grid and the lines of its page to a table with text in its cells."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from deployments.blocks import Box, Table, TableCell, TableGrid
from deployments.document import Line
from deployments.structure.cells import place_lines
from deployments.structure.heads import join_head, mark_head
from deployments.structure.pieces import FilledCell, Piece
from deployments.vision.geometry import bound_quad

# Two lines of a cell stand side by side when their middles differ by less than this share of a line's height.
_SAME_ROW = 0.5
# Texts of one ruled cell that stand so many heights of a line apart are in two.
_WIDE_GAP = 0.8


def fill_table(grid: TableGrid, lines: Sequence[Line], indices: Sequence[int], box: Box) -> Table:
    """The table with the text of those of the ``lines`` that are named by ``indices``.

    Grid, lines and ``box`` are in the same pixels. A network's grid is put right where the text shows that it
    is wrong: columns that it overlooked are added, rows and columns without any text are dropped.
    """
    placed = place_lines(grid, lines, indices)
    grid = placed.grid
    cells = [
        FilledCell(cell, tuple(inside), bound_quad(cell.quad))
        for cell, inside in zip(grid.cells, placed.pieces, strict=True)
    ]
    rows, columns = grid.rows, grid.columns
    cells = [part for item in cells for part in _divide_spanning(item, placed.edges)]
    if not grid.is_ruled and any(cell.pieces for cell in cells):
        cells, rows, columns = _drop_empty(join_head(cells), rows, columns)
    table = tuple(_write_cell(cell) for cell in sorted(cells, key=lambda c: (c.cell.row, c.cell.column)))
    return Table(rows, columns, mark_head(table, rows, columns), box, grid.confidence)


def _divide_spanning(item: FilledCell, edges: NDArray[np.float64]) -> list[FilledCell]:
    """A cell over several columns, divided where its texts stand apart: heads often have no strokes."""
    cell, end = item.cell, item.cell.column + item.cell.column_span
    # The edges in a gap, by how many texts stand before it; of several in one gap the middle one is the
    # likeliest.
    gaps: dict[int, list[int]] = {}
    for column in range(cell.column + 1, end):
        if _stands_between(float(edges[column]), item.pieces):
            before = sum(piece.box[2] <= edges[column] for piece in item.pieces)
            gaps.setdefault(before, []).append(column)
    cuts = sorted(columns[len(columns) // 2] for columns in gaps.values())
    parts = []
    left, top, right, bottom = item.box
    for start, stop in pairwise([cell.column, *cuts, end]):
        low = -np.inf if start == cell.column else edges[start]
        high = np.inf if stop == end else edges[stop]
        inside = tuple(p for p in item.pieces if low <= (p.box[0] + p.box[2]) / 2 < high)
        box = (max(left, float(low)), top, min(right, float(high)), bottom)
        parts.append(FilledCell(replace(cell, column=start, column_span=stop - start), inside, box))
    return parts


def _stands_between(x: float, pieces: Sequence[Piece]) -> bool:
    """Whether there is a wide gap between texts at an x."""
    on_left = [piece.box for piece in pieces if piece.box[2] <= x]
    on_right = [piece.box for piece in pieces if piece.box[0] >= x]
    if not on_left or not on_right or len(on_left) + len(on_right) < len(pieces):
        return False
    height = min(box[3] - box[1] for box in (*on_left, *on_right))
    return min(box[0] for box in on_right) - max(box[2] for box in on_left) > _WIDE_GAP * height


def _drop_empty(cells: Sequence[FilledCell], rows: int, columns: int) -> tuple[list[FilledCell], int, int]:
    """The cells without those of rows and columns in which no text begins."""
    filled = [item.cell for item in cells if item.pieces]
    kept_rows = sorted({cell.row for cell in filled})
    kept_columns = sorted({cell.column for cell in filled})
    row_of = {row: number for number, row in enumerate(kept_rows)}
    column_of = {column: number for number, column in enumerate(kept_columns)}
    kept = []
    for item in cells:
        cell = item.cell
        own_rows = [row for row in range(cell.row, cell.row + cell.row_span) if row in row_of]
        own_columns = [c for c in range(cell.column, cell.column + cell.column_span) if c in column_of]
        if own_rows and own_columns:
            moved = replace(
                cell,
                row=row_of[own_rows[0]],
                column=column_of[own_columns[0]],
                row_span=len(own_rows),
                column_span=len(own_columns),
            )
            kept.append(replace(item, cell=moved))
    return kept, len(kept_rows), len(kept_columns)


def _write_cell(item: FilledCell) -> TableCell:
    cell, rows = item.cell, _group_rows(item.pieces)
    text = "\n".join(" ".join(piece.text for piece in row) for row in rows)
    lines = tuple(dict.fromkeys(piece.line for row in rows for piece in row))
    return TableCell(
        cell.row, cell.column, cell.row_span, cell.column_span, cell.is_header, text, item.box, lines
    )


def _group_rows(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """The pieces of a cell in rows from the top, each row from the left."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: piece.box[1] + piece.box[3]):
        if rows:
            box, last = piece.box, rows[-1][-1].box
            apart = abs(box[1] + box[3] - last[1] - last[3]) / 2
            if apart < _SAME_ROW * min(box[3] - box[1], last[3] - last[1]):
                rows[-1].append(piece)
                continue
        rows.append([piece])
    return [sorted(row, key=lambda piece: piece.box[0]) for row in rows]

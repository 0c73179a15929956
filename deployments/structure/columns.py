"""The columns of a table as its texts show them, where the network overlooked some."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deployments.blocks import GridCell, TableGrid
from deployments.structure.alignment import align
from deployments.structure.pieces import Bounds

# Texts show the columns when so many rows, and this share of all with several texts, have the same number of
# them.
_MIN_ROWS, _MIN_SHARE = 3, 0.5
# Boxes exceed their texts, so that columns may overlap by this, in heights of a line.
_MAX_OVERLAP = 0.5
# What it costs, in widths of a column, to see two columns of text in one of the grid, and to see none there.
_SHARE_COLUMN, _SKIP_COLUMN = 0.5, 2.0


def find_text_columns(rows: Sequence[Sequence[Bounds]]) -> Bounds | None:
    """Left and right side of each column, (columns, 2); None where the rows do not agree on them.

    ``rows`` are the boxes of a table's texts, row by row, each from the left.
    """
    counts = Counter(len(row) for row in rows if len(row) > 1)
    if not counts:
        return None
    columns, votes = max(counts.items(), key=lambda item: (item[1], item[0]))
    if votes < max(_MIN_ROWS, _MIN_SHARE * counts.total()):
        return None
    regular = np.array([row for row in rows if len(row) == columns])
    extents = np.stack([regular[:, :, 0].min(axis=0), regular[:, :, 2].max(axis=0)], axis=1)
    overlap = extents[:-1, 1] - extents[1:, 0]
    height = float(np.median(regular[:, :, 3] - regular[:, :, 1]))
    return extents if (overlap < _MAX_OVERLAP * height).all() else None


def complete_rows(grid: TableGrid) -> TableGrid:
    """The grid with a cell in each place: the network writes some rows shorter than others."""
    taken = {
        (cell.row + y, cell.column + x)
        for cell in grid.cells
        for y in range(cell.row_span)
        for x in range(cell.column_span)
    }
    missing = [(r, c) for r in range(grid.rows) for c in range(grid.columns) if (r, c) not in taken]
    heads = {cell.row for cell in grid.cells if cell.is_header}
    added = []
    for row, column in missing:
        beside = [cell.quad for cell in grid.cells if cell.row == row] or [grid.cells[0].quad]
        over = [cell.quad for cell in grid.cells if cell.column + cell.column_span - 1 == column] or beside
        top, bottom = np.median([(q[:, 1].min(), q[:, 1].max()) for q in beside], axis=0)
        left, right = np.median([(q[:, 0].min(), q[:, 0].max()) for q in over], axis=0)
        quad = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
        added.append(GridCell(row, column, 1, 1, row in heads, quad))
    cells = sorted((*grid.cells, *added), key=lambda cell: (cell.row, cell.column))
    return replace(grid, cells=tuple(cells))


def add_columns(grid: TableGrid, extents: Bounds, text_extents: Bounds) -> TableGrid:
    """The grid with as many columns as its texts have; ``extents`` (columns, 2) are those of the grid."""
    if len(text_extents) <= grid.columns:
        return grid
    width = float(np.median(np.maximum(text_extents[:, 1] - text_extents[:, 0], 1.0)))
    costs = np.abs(text_extents.mean(axis=1)[:, None] - extents.mean(axis=1)[None]) / width
    owners = align(costs, lambda *_: _SHARE_COLUMN, _SKIP_COLUMN)
    # A column in which no text stands keeps its place.
    parts = [max(1, owners.count(column)) for column in range(grid.columns)]
    starts = np.cumsum([0, *parts]).tolist()
    cells = [part for cell in grid.cells for part in _divide(cell, parts, starts)]
    return TableGrid(tuple(cells), grid.rows, starts[-1], grid.confidence)


def _divide(cell: GridCell, parts: Sequence[int], starts: Sequence[int]) -> list[GridCell]:
    """A cell in the new columns: one that spanned several spans more, one in a divided column is divided."""
    start, end = starts[cell.column], starts[cell.column + cell.column_span]
    if cell.column_span > 1 or end - start == 1:
        return [replace(cell, column=start, column_span=end - start)]
    count = parts[cell.column]
    top_left, top_right, bottom_right, bottom_left = cell.quad
    divided = []
    for number in range(count):
        near, far = number / count, (number + 1) / count
        quad = np.array(
            [
                top_left + (top_right - top_left) * near,
                top_left + (top_right - top_left) * far,
                bottom_left + (bottom_right - bottom_left) * far,
                bottom_left + (bottom_right - bottom_left) * near,
            ],
            np.float32,
        )
        divided.append(replace(cell, column=start + number, quad=quad))
    return divided

"""Where the rows and columns of a grid are, from the boxes of its cells."""

import numpy as np

from deployments.blocks import TableGrid
from deployments.structure.pieces import Bounds


def find_row_extents(grid: TableGrid, boxes: Bounds) -> Bounds:
    """Top and bottom of each row, (rows, 2), from the cells that lie in it alone."""
    extents = np.zeros((grid.rows, 2))
    for row in range(grid.rows):
        alone = [n for n, cell in enumerate(grid.cells) if cell.row == row and cell.row_span == 1]
        touching = alone or [n for n, c in enumerate(grid.cells) if c.row <= row < c.row + c.row_span]
        if touching:
            extents[row] = np.median(boxes[touching][:, [1, 3]], axis=0)
        elif row:
            extents[row] = extents[row - 1]
    return extents


def find_column_extents(grid: TableGrid, boxes: Bounds) -> Bounds:
    """Left and right side of each column, (columns, 2), from the cells that lie in it alone."""
    extents = np.zeros((grid.columns, 2))
    for column in range(grid.columns):
        alone = [n for n, c in enumerate(grid.cells) if c.column == column and c.column_span == 1]
        touching = alone or [
            n for n, c in enumerate(grid.cells) if c.column <= column < c.column + c.column_span
        ]
        if touching:
            extents[column] = np.median(boxes[touching][:, [0, 2]], axis=0)
        elif column:
            extents[column] = extents[column - 1]
    return extents

"""Which line stands in which cell of a table.

In a ruled table each line lies in its cell. The network's cells are only roughly where the text is (its boxes
drift by half a row in wide tables), so there the order decides: rows of text go to the grid's rows from the
top, and the texts of a row to its cells from the left, each as near as it can be.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deployments.blocks import TableGrid
from deployments.document import Line
from deployments.structure.alignment import align
from deployments.structure.columns import add_columns, complete_rows, find_text_columns
from deployments.structure.extents import find_column_extents, find_row_extents
from deployments.structure.pieces import Bounds, Piece, choose_cell, cover_cells, divide_line, find_touched
from deployments.vision.geometry import bound_quad

# Lines are of one row of text when their middles differ by less than this share of the lower one's height.
_SAME_ROW = 0.4
# A cell that spans rows holds the lines of which it covers this share.
_COVERED = 0.5
# A row of the grid is higher than one line of text from this many heights of a line on.
_HIGH_ROW = 1.6
# What it costs to put two rows of text in a low row of the grid or two texts beside each other in one cell,
# and to leave a row or a cell empty, in heights of a line and in widths of a column.
_SHARE_ROW, _SKIP_ROW = 1.0, 0.25
_SHARE_CELL, _SKIP_CELL = 0.4, 0.02
# A line is divided between cells where its words stand this far apart, in its heights; in a ruled table at
# each stroke.
_MIN_GAP = 0.6


@dataclass(frozen=True, eq=False)
class Placed:
    """A grid with the pieces in each of its cells; ``edges``, (columns,), are its columns' left sides."""

    grid: TableGrid
    pieces: list[list[Piece]]
    edges: Bounds


def place_lines(grid: TableGrid, lines: Sequence[Line], indices: Sequence[int]) -> Placed:
    """The lines in the cells of a grid, which gets the columns that the network overlooked.

    ``lines`` and cells are in the same pixels. A line that stands in two cells is divided at the gap between
    its words, if they are known.
    """
    bounds = {index: np.array(bound_quad(lines[index].quad)) for index in indices}
    if not grid.cells:
        return Placed(grid, [], np.zeros(0))
    if grid.is_ruled:
        edges = find_column_extents(grid, _bound_cells(grid))[:, 0]
        return Placed(grid, _place_in_ruled(grid, lines, bounds), edges)
    grid = complete_rows(grid)
    boxes = _bound_cells(grid)
    spanning, rest = _take_spanning(grid, boxes, bounds)
    text_rows = _group_rows(rest, bounds)
    columns = find_column_extents(grid, boxes)
    text_columns = find_text_columns([[bounds[index] for index in row] for row in text_rows])
    if text_columns is not None and len(text_columns) >= grid.columns:
        # Cells keep their numbers where nothing is added.
        grid, columns = add_columns(grid, columns, text_columns), text_columns
        boxes = _bound_cells(grid)
        spanning, _ = _take_spanning(grid, boxes, bounds)
    members: list[list[Piece]] = [[] for _ in grid.cells]
    for index, cell in spanning.items():
        members[cell].append(Piece(index, lines[index].text, bound_quad(lines[index].quad)))
    for row, text_row in zip(_choose_rows(text_rows, bounds, grid, boxes), text_rows, strict=True):
        rest_of_row = [index for index in text_row if index not in spanning]
        if rest_of_row:
            _fill_row(row, rest_of_row, lines, bounds, grid, columns, members)
    # Between two columns of text, whose boxes may touch.
    edges = np.concatenate([columns[:1, 0], (columns[1:, 0] + columns[:-1, 1]) / 2])
    return Placed(grid, members, edges)


def _place_in_ruled(grid: TableGrid, lines: Sequence[Line], bounds: dict[int, Bounds]) -> list[list[Piece]]:
    boxes = _bound_cells(grid)
    members: list[list[Piece]] = [[] for _ in grid.cells]
    for index, box in bounds.items():
        cell = choose_cell(box, boxes)
        if cell is not None:
            divide_line(index, lines[index], find_touched(box, boxes, cell), boxes, members, 0.0)
    return members


def _bound_cells(grid: TableGrid) -> Bounds:
    return np.array([bound_quad(cell.quad) for cell in grid.cells])


def _take_spanning(
    grid: TableGrid, boxes: Bounds, bounds: dict[int, Bounds]
) -> tuple[dict[int, int], list[int]]:
    """The lines in cells that span rows, each with its cell, and the others."""
    taken: dict[int, int] = {}
    for index, box in bounds.items():
        covered = cover_cells(box, boxes)
        best = int(covered.argmax())
        area = float((box[2:] - box[:2]).prod())
        if grid.cells[best].row_span > 1 and covered[best] >= _COVERED * area:
            taken[index] = best
    return taken, [index for index in bounds if index not in taken]


def _group_rows(indices: Sequence[int], bounds: dict[int, Bounds]) -> list[list[int]]:
    """Rows of text from the top, each from the left."""

    def middle(index: int) -> float:
        return float(bounds[index][1] + bounds[index][3]) / 2

    rows: list[list[int]] = []
    for index in sorted(indices, key=middle):
        if rows:
            last = rows[-1]
            height = min(float(bounds[other][3] - bounds[other][1]) for other in (index, *last))
            apart = middle(index) - float(np.mean([middle(other) for other in last]))
            if apart < _SAME_ROW * height and not any(_overlap_x(bounds[index], bounds[o]) for o in last):
                last.append(index)
                continue
        rows.append([index])
    return [sorted(row, key=lambda index: float(bounds[index][0])) for row in rows]


def _overlap_x(one: Bounds, other: Bounds) -> bool:
    shared = min(one[2], other[2]) - max(one[0], other[0])
    return bool(shared > 0.3 * min(one[2] - one[0], other[2] - other[0]))


def _choose_rows(
    text_rows: Sequence[Sequence[int]], bounds: dict[int, Bounds], grid: TableGrid, boxes: Bounds
) -> list[int]:
    """The grid's row of each row of text."""
    if not text_rows:
        return []
    extents = find_row_extents(grid, boxes)
    heights = [float(np.median([bounds[i][3] - bounds[i][1] for i in row])) for row in text_rows]
    middles = [float(np.mean([bounds[i][1] + bounds[i][3] for i in row])) / 2 for row in text_rows]
    costs = np.zeros((len(text_rows), grid.rows))
    for number, (middle, height) in enumerate(zip(middles, heights, strict=True)):
        # A line lies inside a row when there is room for half of it on both sides.
        inset = np.minimum(height / 2, (extents[:, 1] - extents[:, 0]) / 2)
        low, high = extents[:, 0] + inset, extents[:, 1] - inset
        costs[number] = np.maximum(np.maximum(low - middle, middle - high), 0) / max(height, 1.0)

    def share(number: int, row: int) -> float:
        low = extents[row, 1] - extents[row, 0] < _HIGH_ROW * heights[number]
        above = any(
            _overlap_x(bounds[one], bounds[other])
            for one in text_rows[number]
            for other in text_rows[number - 1]
        )
        return _SHARE_ROW if low and above else 0.0

    return align(costs, share, _SKIP_ROW)


def _fill_row(
    row: int,
    text_row: Sequence[int],
    lines: Sequence[Line],
    bounds: dict[int, Bounds],
    grid: TableGrid,
    columns: Bounds,
    members: list[list[Piece]],
) -> None:
    """Put the texts of a row into its cells."""
    cells = sorted(
        (n for n, cell in enumerate(grid.cells) if cell.row <= row < cell.row + cell.row_span),
        key=lambda number: grid.cells[number].column,
    )
    if not cells:
        return
    extents = np.array(
        [
            (columns[cell.column, 0], columns[cell.column + cell.column_span - 1, 1])
            for cell in (grid.cells[number] for number in cells)
        ]
    )
    width = float(np.median(np.maximum(columns[:, 1] - columns[:, 0], 1.0)))
    middles = [float(bounds[index][0] + bounds[index][2]) / 2 for index in text_row]
    costs = np.array(
        [np.maximum(np.maximum(extents[:, 0] - x, x - extents[:, 1]), 0) / width for x in middles]
    )
    chosen = align(costs, lambda *_: _SHARE_CELL, _SKIP_CELL)
    all_boxes = np.zeros((len(grid.cells), 4))
    all_boxes[cells] = [(left, -np.inf, right, np.inf) for left, right in extents]
    taken = set(chosen)
    for index, place in zip(text_row, chosen, strict=True):
        box = bounds[index]
        reach = np.minimum(extents[:, 1], box[2]) - np.maximum(extents[:, 0], box[0])
        # Only cells that no other text of the row stands in can hold a part of this one.
        others = [n for n in np.flatnonzero(reach > 0).tolist() if n not in taken]
        touched = [cells[n] for n in sorted({place, *others})]
        if len(touched) == 1:
            members[touched[0]].append(Piece(index, lines[index].text, bound_quad(lines[index].quad)))
        else:
            divide_line(index, lines[index], touched, all_boxes, members, _MIN_GAP)

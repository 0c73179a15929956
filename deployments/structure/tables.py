"""From a table's grid and the lines of its page to a table with text in its cells."""

from collections.abc import Sequence

import numpy as np

from deployments.blocks import Box, GridCell, Table, TableCell, TableGrid
from deployments.document import FloatArray, Line

# Two lines of a cell stand side by side when their middles differ by less than this share of a line's height.
_SAME_ROW = 0.5
# A line that touches no cell belongs to the nearest one, if that is at most so many heights of the line away.
_MAX_GAP = 3.0


def fill_table(grid: TableGrid, lines: Sequence[Line], indices: Sequence[int], box: Box) -> Table:
    """The table at ``box`` of a page, with the text of those of the page's ``lines`` that lie in it.

    A line belongs to the cell that covers most of it, else to the nearest one.
    """
    left, top, _, _ = box
    cell_boxes = np.array([_bound(cell.quad) for cell in grid.cells], np.float32).reshape(-1, 4)
    cell_boxes += np.array([left, top, left, top], np.float32)
    members: list[list[int]] = [[] for _ in grid.cells]
    for index in indices:
        cell = _choose_cell(_bound(lines[index].quad), cell_boxes)
        if cell is not None:
            members[cell].append(index)
    cells = tuple(
        _fill_cell(cell, bounds, [*members[number]], lines)
        for number, (cell, bounds) in enumerate(zip(grid.cells, cell_boxes, strict=True))
    )
    return Table(grid.rows, grid.columns, cells, box, grid.confidence)


def _bound(quad: FloatArray) -> FloatArray:
    return np.concatenate([quad.min(axis=0), quad.max(axis=0)]).astype(np.float32)


def _choose_cell(line: FloatArray, cells: FloatArray) -> int | None:
    if not len(cells):
        return None
    gaps = np.maximum(np.maximum(cells[:, :2] - line[2:], line[:2] - cells[:, 2:]), 0)
    shared = np.minimum(cells[:, 2:], line[2:]) - np.maximum(cells[:, :2], line[:2])
    covered = np.clip(shared, 0, None).prod(axis=1)
    if covered.max() > 0:
        return int(covered.argmax())
    distance = np.hypot(gaps[:, 0], gaps[:, 1])
    nearest = int(distance.argmin())
    return nearest if distance[nearest] <= _MAX_GAP * (line[3] - line[1]) else None


def _fill_cell(cell: GridCell, bounds: FloatArray, members: list[int], lines: Sequence[Line]) -> TableCell:
    left, top, right, bottom = bounds.tolist()
    rows = _group_rows(members, lines)
    text = "\n".join(" ".join(lines[index].text for index in row) for row in rows)
    ordered = tuple(index for row in rows for index in row)
    return TableCell(
        cell.row,
        cell.column,
        cell.row_span,
        cell.column_span,
        cell.is_header,
        text,
        (left, top, right, bottom),
        ordered,
    )


def _group_rows(members: Sequence[int], lines: Sequence[Line]) -> list[list[int]]:
    """The lines of a cell in rows from the top, each row from the left."""
    bounds = {index: _bound(lines[index].quad) for index in members}
    rows: list[list[int]] = []
    for index in sorted(members, key=lambda member: float(bounds[member][1] + bounds[member][3])):
        box = bounds[index]
        if rows:
            last = bounds[rows[-1][-1]]
            apart = abs(float(box[1] + box[3] - last[1] - last[3])) / 2
            if apart < _SAME_ROW * min(float(box[3] - box[1]), float(last[3] - last[1])):
                rows[-1].append(index)
                continue
        rows.append([index])
    return [sorted(row, key=lambda member: float(bounds[member][0])) for row in rows]

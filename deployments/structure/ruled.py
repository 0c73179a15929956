"""The grid of a table that is ruled: its cells are what the strokes enclose."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from deployments.blocks import GridCell, TableGrid
from deployments.document import Image
from deployments.vision.rulings import Rulings, Stroke, find_rulings

# Strokes nearer than this (pixels, and parts of the table's shorter side) are pieces of one, or a double one.
_SAME_PLACE_PX = 6.0
_SAME_PLACE_SHARE = 0.01
# A side of a cell is ruled when this share of it is.
_MIN_RULED = 0.6
# A table whose outer strokes are missing ends where the others end, if they reach so far beyond, in parts of
# the usual distance between strokes.
_OPEN_SIDE = 0.4
# Strokes that cross the table count as rows and columns when they are at least this long, in parts of it.
_MIN_REACH = 0.04
_MIN_ROWS, _MIN_COLUMNS = 2, 2
_MAX_PLACES = 200
# The network's grid is doubted when the strokes enclose nearly as many cells as it sees, or more.
_MIN_AGREEMENT = 0.75

Flags = NDArray[np.bool_]


def choose_grid(network: TableGrid, ruled: TableGrid | None) -> TableGrid:
    """The ruled grid where the strokes are all of the table, else the network's.

    Strokes that part only some rows or columns (a head from its body, groups of rows) give a coarser grid
    than the network sees: then they say too little.
    """
    if ruled is None:
        return network
    if len(ruled.cells) < _MIN_AGREEMENT * len(network.cells):
        return network
    # Strokes do not say what is a head.
    heads = sum(1 for row in range(network.rows) if _is_head(network, row))
    cells = tuple(
        GridCell(
            cell.row,
            cell.column,
            cell.row_span,
            cell.column_span,
            cell.row + cell.row_span <= heads,
            cell.quad,
        )
        for cell in ruled.cells
    )
    return TableGrid(cells, ruled.rows, ruled.columns, ruled.confidence, True)


def _is_head(grid: TableGrid, row: int) -> bool:
    inside = [cell for cell in grid.cells if cell.row == row]
    return bool(inside) and all(cell.is_header for cell in inside)


def read_ruled_grid(pixels: Image) -> TableGrid | None:
    """The grid of a ruled table (uint8, (h, w, 3), BGR); None where strokes do not enclose its cells.

    ``confidence`` is the share of the cells' sides that is really ruled.
    """
    rulings = find_rulings(pixels)
    rows, columns = _find_places(rulings.along, rulings.width), _find_places(rulings.down, rulings.height)
    rows, columns = _close_sides(rows, columns, rulings)
    if not (_MIN_ROWS < len(rows) <= _MAX_PLACES and _MIN_COLUMNS < len(columns) <= _MAX_PLACES):
        return None
    rows = _keep_ruled(rows, columns, rulings.along)
    columns = _keep_ruled(columns, rows, rulings.down)
    # How much of the upper side of each place, and of the left one, is ruled.
    upper = _measure_sides(rows, columns, rulings.along)
    left = _measure_sides(columns, rows, rulings.down).T
    upper[[0, -1]], left[:, [0, -1]] = 1.0, 1.0
    cells = _join_places(upper >= _MIN_RULED, left >= _MIN_RULED)
    if cells is None:
        return None
    ruled = np.concatenate([upper[1:-1].ravel(), left[:, 1:-1].ravel()])
    ruled = ruled[ruled >= _MIN_RULED]
    if not ruled.size:
        return None
    grid = tuple(_make_cell(cell, rows, columns, rulings) for cell in cells)
    return TableGrid(grid, len(rows) - 1, len(columns) - 1, float(ruled.mean()), True)


def _find_places(strokes: Sequence[Stroke], length: float) -> list[float]:
    """Where strokes stand, those close to each other as one, in rising order."""
    tolerance = max(_SAME_PLACE_PX, _SAME_PLACE_SHARE * length)
    groups: list[list[Stroke]] = []
    for stroke in strokes:
        if groups and stroke.place - groups[-1][-1].place < tolerance:
            groups[-1].append(stroke)
        else:
            groups.append([stroke])
    places = []
    for group in groups:
        lengths = [stroke.end - stroke.start for stroke in group]
        if sum(lengths) >= _MIN_REACH * length:
            # The long ones decide: bars of letters stand near a stroke now and then.
            places.append(float(np.average([stroke.place for stroke in group], weights=np.square(lengths))))
    return places


def _close_sides(
    rows: list[float], columns: list[float], rulings: Rulings
) -> tuple[list[float], list[float]]:
    """The places with those of sides that have no stroke of their own but at which the others end."""
    closed = []
    for places, crossing in ((rows, rulings.down), (columns, rulings.along)):
        places = list(places)
        if places and crossing:
            # What a quarter of all strokes reach: single ones that go further are letters.
            lengths = [stroke.end - stroke.start for stroke in crossing]
            first = _find_quantile([stroke.start for stroke in crossing], lengths, 0.25)
            last = _find_quantile([stroke.end for stroke in crossing], lengths, 0.75)
            reach = _OPEN_SIDE * float(np.median(np.diff(places))) if len(places) > 1 else 0.0
            if first < places[0] - reach:
                places.insert(0, first)
            if last > places[-1] + reach:
                places.append(last)
        closed.append(places)
    return closed[0], closed[1]


def _find_quantile(values: Sequence[float], weights: Sequence[float], share: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(np.asarray(weights)[order])
    return float(values[int(order[int(np.searchsorted(reached, share * reached[-1]))])])


def _keep_ruled(places: list[float], crossing: Sequence[float], strokes: Sequence[Stroke]) -> list[float]:
    """The places without those inside at which no side is ruled: letters have strokes too."""
    most = _measure_sides(places, crossing, strokes).max(axis=1)
    outer = (0, len(places) - 1)
    return [place for n, place in enumerate(places) if n in outer or most[n] >= _MIN_RULED]


def _measure_sides(
    places: Sequence[float], crossing: Sequence[float], strokes: Sequence[Stroke]
) -> NDArray[np.float64]:
    """For each place and each stretch between two crossing ones, the share that is ruled."""
    shares = np.zeros((len(places), len(crossing) - 1))
    reach = max(_SAME_PLACE_PX, _SAME_PLACE_SHARE * (crossing[-1] - crossing[0]))
    for stroke in strokes:
        place = int(np.argmin([abs(stroke.place - other) for other in places]))
        if abs(stroke.place - places[place]) > reach:
            continue
        for number, (start, end) in enumerate(pairwise(crossing)):
            shared = min(stroke.end, end) - max(stroke.start, start)
            shares[place, number] += max(0.0, shared) / (end - start)
    return np.minimum(shares, 1.0)


def _join_places(upper: Flags, left: Flags) -> list[tuple[int, int, int, int]] | None:
    """Cells as (row, column, row span, column span); None where the places of one are no rectangle."""
    rows, columns = left.shape[0], upper.shape[1]
    owner = np.full((rows, columns), -1)
    cells: list[tuple[int, int, int, int]] = []
    for row in range(rows):
        for column in range(columns):
            if owner[row, column] >= 0:
                continue
            members = _flood(row, column, upper, left)
            ys, xs = zip(*members, strict=True)
            height, width = max(ys) - min(ys) + 1, max(xs) - min(xs) + 1
            if height * width != len(members):
                return None
            for member in members:
                owner[member] = len(cells)
            cells.append((min(ys), min(xs), height, width))
    return cells


def _flood(row: int, column: int, upper: Flags, left: Flags) -> set[tuple[int, int]]:
    """All places that are reached without crossing a stroke."""
    found, todo = {(row, column)}, [(row, column)]
    while todo:
        y, x = todo.pop()
        for there, is_ruled in (
            ((y - 1, x), upper[y, x]),
            ((y + 1, x), upper[y + 1, x]),
            ((y, x - 1), left[y, x]),
            ((y, x + 1), left[y, x + 1]),
        ):
            if not is_ruled and there not in found:
                found.add(there)
                todo.append(there)
    return found


def _make_cell(
    cell: tuple[int, int, int, int], rows: Sequence[float], columns: Sequence[float], rulings: Rulings
) -> GridCell:
    row, column, row_span, column_span = cell
    top, bottom = rows[row], rows[row + row_span]
    left, right = columns[column], columns[column + column_span]
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return GridCell(row, column, row_span, column_span, False, rulings.place_back(corners))

"""Tables cut out of their page, turned upright where they lie on their side, and put back."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deployments.blocks import Region, Table, TableCell, TableGrid
from deployments.document import Angle, FloatArray, Image, Line
from deployments.structure.regions import share_out
from deployments.structure.tables import fill_table
from deployments.vision.geometry import bound_quad, turn_clockwise

# A table lies on its side when this share of its text, by length, does.
_MIN_TURNED = 0.6
# A figure is a table when this share of its cells has text.
_MIN_FILLED = 0.5


@dataclass(frozen=True)
class TableView:
    """The part of a page where a table is, and how far it is turned clockwise to stand upright.

    ``frame`` is left, top, right and bottom in whole pixels of the page.
    """

    region: Region
    frame: tuple[int, int, int, int]
    rotation: Angle = 0

    def cut(self, pixels: Image) -> Image:
        """The table's pixels, upright."""
        left, top, right, bottom = self.frame
        return turn_clockwise(pixels[top:bottom, left:right], self.rotation)

    def to_view(self, points: FloatArray) -> FloatArray:
        """Points (N, 2) of the page in pixels of the upright table."""
        left, top, right, bottom = self.frame
        x, y = (points - np.array([left, top], np.float32)).T
        width, height = right - left, bottom - top
        turned = {0: (x, y), 90: (height - y, x), 180: (width - x, height - y), 270: (y, width - x)}
        return np.stack(turned[self.rotation], axis=1).astype(np.float32)

    def to_page(self, points: FloatArray) -> FloatArray:
        """Points (N, 2) of the upright table in pixels of the page."""
        left, top, right, bottom = self.frame
        x, y = points.T
        width, height = right - left, bottom - top
        turned = {0: (x, y), 90: (y, height - x), 180: (width - x, height - y), 270: (width - y, x)}
        placed = np.stack(turned[self.rotation], axis=1) + np.array([left, top], np.float32)
        return placed.astype(np.float32)


def find_tables(regions: Sequence[Region], pixels: Image) -> list[TableView]:
    """Where the tables of a page are, and the figures, which may be tables; at least a pixel of each."""
    height, width = pixels.shape[:2]
    views = []
    for region in regions:
        if region.kind in ("table", "figure"):
            left, top = min(int(region.box[0]), width - 1), min(int(region.box[1]), height - 1)
            right, bottom = math.ceil(region.box[2]), math.ceil(region.box[3])
            frame = (left, top, min(max(left + 1, right), width), min(max(top + 1, bottom), height))
            views.append(TableView(region, frame))
    return views


def find_rotation(lines: Sequence[Line]) -> Angle:
    """How far a table must be turned clockwise for most of its text to lie upright."""
    lengths: dict[Angle, float] = {0: 0.0, 90: 0.0, 180: 0.0, 270: 0.0}
    for line in lines:
        x, y = (line.quad[1] - line.quad[0]).tolist()
        # Text that runs down the page is upright after three quarters of a turn.
        angle: Angle = (0 if x > 0 else 180) if abs(x) >= abs(y) else (270 if y > 0 else 90)
        lengths[angle] += max(abs(x), abs(y))
    total = sum(lengths.values())
    best = max(lengths, key=lambda angle: lengths[angle])
    return best if total and lengths[best] >= _MIN_TURNED * total else 0


def holds_text(view: TableView, grid: TableGrid, lines: Sequence[Line]) -> bool:
    """Whether enough cells of a grid have text in them for a table: those of a chart's grid are empty."""
    boxes = [bound_quad(view.to_page(cell.quad)) for cell in grid.cells]
    middles = [line.quad.mean(axis=0).tolist() for line in lines]
    filled = sum(
        any(left <= x <= right and top <= y <= bottom for x, y in middles)
        for left, top, right, bottom in boxes
    )
    return filled >= _MIN_FILLED * len(boxes)


def put_back(view: TableView, lines: Sequence[Line]) -> list[Line]:
    """Lines that were read in the upright table, on the page."""
    return [_move_line(line, view.to_page) for line in lines]


def fill_tables(
    regions: Sequence[Region], views: Sequence[TableView], grids: Sequence[TableGrid], lines: Sequence[Line]
) -> list[tuple[Region, Table]]:
    """The tables of a page with their regions; those in which no cell was found are left out.

    A grid is in pixels of its view, and the tables are in pixels of the page.
    """
    members = dict(zip(map(id, regions), share_out(regions, lines), strict=True))
    tables = []
    for view, grid in zip(views, grids, strict=True):
        inside = members.get(id(view.region), [])
        if grid.cells:
            tables.append((view.region, _fill_table(view, grid, [lines[index] for index in inside], inside)))
    return tables


def _fill_table(view: TableView, grid: TableGrid, lines: Sequence[Line], numbers: Sequence[int]) -> Table:
    upright = [_move_line(line, view.to_view) for line in lines]
    table = fill_table(grid, upright, range(len(upright)), view.region.box)
    cells = tuple(_place_cell(cell, view, numbers) for cell in table.cells)
    return replace(table, cells=cells, rotation=view.rotation)


def _place_cell(cell: TableCell, view: TableView, numbers: Sequence[int]) -> TableCell:
    left, top, right, bottom = cell.box
    corners = view.to_page(np.array([[left, top], [right, bottom]], np.float32))
    return replace(cell, box=bound_quad(corners), lines=tuple(numbers[index] for index in cell.lines))


def _move_line(line: Line, move: Callable[[FloatArray], FloatArray]) -> Line:
    words = line.words and tuple(replace(word, quad=move(word.quad)) for word in line.words)
    return replace(line, quad=move(line.quad), words=words)

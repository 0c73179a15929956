"""Grids from strokes."""

import cv2
import numpy as np
import pytest

from deployments.blocks import GridCell, TableGrid
from deployments.document import Image
from deployments.structure.ruled import choose_grid, read_ruled_grid
from deployments.vision.geometry import bound_quad

from .conftest import quad

ROWS = (20, 70, 120, 170, 220)
COLUMNS = (20, 220, 420, 620)


def draw(
    rows: tuple[int, ...] = ROWS,
    columns: tuple[int, ...] = COLUMNS,
    gaps: tuple[tuple[int, int, int, int], ...] = (),
    level: int = 0,
) -> Image:
    """A ruled table with words in it; ``gaps`` are boxes in which nothing is left."""
    pixels = np.full((rows[-1] + 20, columns[-1] + 20, 3), 255, np.uint8)
    for y in rows:
        cv2.line(pixels, (columns[0], y), (columns[-1], y), (level,) * 3, 2)
    for x in columns:
        cv2.line(pixels, (x, rows[0]), (x, rows[-1]), (level,) * 3, 2)
    for left, top, right, bottom in gaps:
        pixels[top:bottom, left:right] = 255
    for y in rows[:-1]:
        for x in columns[:-1]:
            cv2.putText(pixels, "Text 12", (x + 20, y + 34), cv2.FONT_HERSHEY_DUPLEX, 0.8, (0, 0, 0), 1)
    return pixels


def spans(grid: TableGrid | None) -> list[tuple[int, int, int, int]]:
    assert grid is not None
    return [(cell.row, cell.column, cell.row_span, cell.column_span) for cell in grid.cells]


@pytest.mark.parametrize("level", [0, 190])
def test_the_cells_are_what_the_strokes_enclose(level: int) -> None:
    """Black strokes and pale ones, each cell where it was drawn."""
    grid = read_ruled_grid(draw(level=level))
    assert grid is not None
    assert (grid.rows, grid.columns, len(grid.cells), grid.is_ruled) == (4, 3, 12, True)
    assert grid.confidence > 0.95
    for cell in grid.cells:
        drawn = (COLUMNS[cell.column], ROWS[cell.row], COLUMNS[cell.column + 1], ROWS[cell.row + 1])
        assert np.abs(np.subtract(bound_quad(cell.quad), drawn)).max() <= 3


def test_cells_without_a_stroke_between_them_are_one() -> None:
    """A head over two columns, and a first cell over two rows."""
    grid = read_ruled_grid(draw(gaps=((215, 24, 225, 67), (415, 24, 425, 67), (24, 115, 217, 125))))
    assert spans(grid)[:2] == [(0, 0, 1, 3), (1, 0, 2, 1)]
    assert len(spans(grid)) == 9


def test_a_table_may_be_open_at_its_sides() -> None:
    """The outer strokes are often left out."""
    grid = read_ruled_grid(draw(gaps=((14, 0, 26, 300), (614, 0, 630, 300))))
    assert grid is not None
    assert (grid.rows, grid.columns) == (4, 3)


def test_a_slanted_sheet_is_straightened() -> None:
    """Cells come back as they lie on the sheet."""
    pixels = draw()
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -1.5, 1.0)
    slanted = cv2.warpAffine(pixels, turn, (width, height), borderValue=(255, 255, 255))
    grid = read_ruled_grid(slanted)
    assert grid is not None
    assert (grid.rows, grid.columns) == (4, 3)
    corner = turn @ np.array([COLUMNS[1], ROWS[1], 1])
    first = next(cell for cell in grid.cells if (cell.row, cell.column) == (1, 1))
    assert np.abs(first.quad[0] - corner).max() < 5


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(draw(columns=(20, 620)), id="rows alone"),
        pytest.param(np.full((200, 300, 3), 255, np.uint8), id="an empty page"),
        pytest.param(np.zeros((1, 1, 3), np.uint8), id="a pixel"),
        pytest.param(np.zeros((200, 300, 3), np.uint8), id="a black page"),
        pytest.param(draw(rows=(20, 70, 220))[:, :, :] * 0 + 255, id="no ink"),
    ],
)
def test_what_is_not_ruled_has_no_ruled_grid(pixels: Image) -> None:
    """Strokes between rows alone say nothing of columns."""
    assert read_ruled_grid(pixels) is None


def test_strokes_that_say_less_than_the_network_are_not_believed() -> None:
    """A stroke below the head and one beside the first column leave most cells open."""
    cells = tuple(
        GridCell(y, x, 1, 1, y == 0, quad(100 * x, 40 * y, 100 * x + 90, 40 * y + 30))
        for y in range(6)
        for x in range(5)
    )
    network = TableGrid(cells, 6, 5, 0.9)
    coarse = TableGrid(cells[:4], 2, 2, 1.0, True)
    assert choose_grid(network, coarse) is network
    assert choose_grid(network, None) is network
    fine = TableGrid(tuple(GridCell(c.row, c.column, 1, 1, False, c.quad) for c in cells), 6, 5, 1.0, True)
    chosen = choose_grid(network, fine)
    assert chosen.is_ruled
    assert [cell.is_header for cell in chosen.cells] == [cell.is_header for cell in cells]

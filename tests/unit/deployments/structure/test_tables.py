"""From a grid and lines to a table with text."""

import numpy as np

from deployments.blocks import GridCell, TableGrid
from deployments.document import Line
from deployments.structure.tables import fill_table

BOX = (100.0, 200.0, 500.0, 300.0)


def quad(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def line(text: str, *box: float) -> Line:
    return Line(text, 0.9, quad(*box))


GRID = TableGrid(
    (
        GridCell(0, 0, 1, 1, True, quad(0, 0, 190, 40)),
        GridCell(0, 1, 1, 1, True, quad(210, 0, 400, 40)),
        GridCell(1, 0, 1, 2, False, quad(0, 60, 400, 100)),
    ),
    2,
    2,
    0.8,
)


def texts(lines: list[Line]) -> list[str]:
    return [cell.text for cell in fill_table(GRID, lines, range(len(lines)), BOX).cells]


def test_lines_go_to_the_cells_that_cover_them() -> None:
    """Cells are in pixels of the table, lines in those of the page."""
    found = texts(
        [line("b", 320, 205, 480, 230), line("a", 110, 205, 280, 230), line("c", 110, 265, 490, 290)]
    )
    assert found == ["a", "b", "c"]


def test_an_empty_cell_stays_empty() -> None:
    """Cells without text are cells all the same."""
    assert texts([line("b", 320, 205, 480, 230)]) == ["", "b", ""]


def test_lines_of_a_cell_are_read_row_by_row() -> None:
    """Two beside each other make one row, one below them another."""
    found = texts(
        [
            line("below", 110, 282, 200, 296),
            line("right", 250, 262, 300, 276),
            line("left", 110, 263, 200, 277),
        ]
    )
    assert found[2] == "left right\nbelow"


def test_a_line_between_cells_goes_to_the_nearest() -> None:
    """Nothing that was read is lost near a cell."""
    assert texts([line("near", 110, 242, 280, 252)])[0] == "near"


def test_a_table_without_cells_is_empty() -> None:
    """The network may find no cell at all."""
    table = fill_table(TableGrid((), 0, 0, 0.0), [line("a", 110, 205, 280, 230)], [0], BOX)
    assert (table.rows, table.columns, table.cells) == (0, 0, ())

"""From a grid and lines to a table with text."""

import numpy as np
import pytest

from deployments.blocks import GridCell, Table, TableGrid
from deployments.document import Line
from deployments.structure.tables import fill_table

from .conftest import line, line_of_words, quad

BOX = (0.0, 0.0, 400.0, 400.0)


def make_grid(rows: int, columns: int, dx: float = 0, dy: float = 0, is_ruled: bool = False) -> TableGrid:
    """Cells of 100 x 40, moved by (dx, dy): a network's boxes are never exact."""
    cells = tuple(
        GridCell(y, x, 1, 1, False, quad(100 * x + dx, 40 * y + dy, 100 * x + 96 + dx, 40 * y + 36 + dy))
        for y in range(rows)
        for x in range(columns)
    )
    return TableGrid(cells, rows, columns, 0.8, is_ruled)


def text_at(text: str, row: float, column: float, width: float = 60) -> Line:
    """A line in the middle of a place."""
    left, top = 100 * column + 18, 40 * row + 8
    return line(text, left, top, left + width, top + 20)


def fill(grid: TableGrid, *lines: Line) -> Table:
    return fill_table(grid, lines, range(len(lines)), BOX)


def rows_of(table: Table) -> list[list[str]]:
    """Texts by row."""
    rows: list[list[str]] = [[] for _ in range(table.rows)]
    for cell in table.cells:
        rows[cell.row].append(cell.text)
    return rows


FULL = [["a", "b"], ["c", "d"], ["e", "f"]]


def lines_of(rows: list[list[str]]) -> list[Line]:
    return [text_at(text, y, x) for y, row in enumerate(rows) for x, text in enumerate(row) if text]


@pytest.mark.parametrize("is_ruled", [True, False])
@pytest.mark.parametrize("rows", [FULL, [["a", "b"], ["c", ""], ["", "f"]]])
def test_lines_go_to_their_cells(rows: list[list[str]], is_ruled: bool) -> None:
    """In whatever order they come; cells without text are cells all the same."""
    table = fill(make_grid(3, 2, is_ruled=is_ruled), *reversed(lines_of(rows)))
    assert rows_of(table) == rows
    assert (table.rows, table.columns, table.confidence) == (3, 2, 0.8)


@pytest.mark.parametrize("dy", [-18, -9, 9, 18])
def test_a_network_that_is_half_a_row_off_does_no_harm(dy: float) -> None:
    """Rows are matched by their order; the boxes alone would put some into the next row."""
    assert rows_of(fill(make_grid(3, 2, dy=dy), *lines_of(FULL))) == FULL


def test_rows_and_columns_without_text_are_dropped() -> None:
    """The network sees some where there is nothing; only strokes can tell that they are there."""
    rows = [["a", "b"], ["c", "d"]]
    lines = [text_at(text, 2 * y, x) for y, row in enumerate(rows) for x, text in enumerate(row)]
    assert rows_of(fill(make_grid(3, 3), *lines)) == rows
    ruled = fill(make_grid(3, 3, is_ruled=True), *lines)
    assert rows_of(ruled) == [["a", "b", ""], ["", "", ""], ["c", "d", ""]]


def test_lines_of_a_cell_are_read_row_by_row() -> None:
    """Two beside each other make one row, one below them another."""
    grid = TableGrid((GridCell(0, 0, 1, 1, False, quad(0, 0, 400, 80)),), 1, 1, 0.8)
    table = fill(
        grid, line("below", 10, 42, 100, 60), line("right", 110, 12, 200, 30), line("left", 10, 13, 100, 31)
    )
    assert rows_of(table) == [["left right\nbelow"]]
    assert table.cells[0].lines == (2, 1, 0)


def test_a_high_row_holds_several_lines() -> None:
    """Two lines in one cell, one in the middle of the other."""
    cells = (
        GridCell(0, 0, 1, 1, False, quad(0, 0, 190, 76)),
        GridCell(0, 1, 1, 1, False, quad(200, 0, 390, 76)),
    )
    lower = tuple(GridCell(1, x, 1, 1, False, quad(200 * x, 80, 200 * x + 190, 116)) for x in range(2))
    table = fill(
        TableGrid((*cells, *lower), 2, 2, 0.8),
        line("two", 10, 12, 100, 34),
        line("lines", 10, 42, 100, 64),
        line("one", 210, 27, 300, 49),
        line("c", 10, 88, 100, 110),
        line("d", 210, 88, 300, 110),
    )
    assert rows_of(table) == [["two\nlines", "one"], ["c", "d"]]


@pytest.mark.parametrize("is_ruled", [True, False])
def test_a_line_over_two_cells_is_divided_between_its_words(is_ruled: bool) -> None:
    """Its text goes to both, and both name it."""
    lines = [*lines_of([["a", "b"], ["", ""], ["e", "f"]])]
    both = line_of_words(("one", 10, 40), ("two", 44, 70), ("30", 120, 160), top=48, bottom=68)
    table = fill(make_grid(3, 2, is_ruled=is_ruled), *lines, both)
    assert rows_of(table) == [["a", "b"], ["one two", "30"], ["e", "f"]]
    assert [cell.lines for cell in table.cells if cell.row == 1] == [(4,), (4,)]


def test_a_line_without_words_stays_whole() -> None:
    """It stands where most of it is."""
    table = fill(make_grid(1, 2, is_ruled=True), line("one 30", 10, 8, 120, 28))
    assert rows_of(table) == [["one 30", ""]]


def test_a_cell_over_columns_is_divided_where_its_texts_stand_apart() -> None:
    """A head without strokes between its columns."""
    head = GridCell(0, 0, 1, 3, False, quad(0, 0, 300, 36))
    body = make_grid(3, 3, is_ruled=True).cells[3:]
    lines = [text_at(text, 0, x) for x, text in enumerate("abc")]
    table = fill(TableGrid((head, *body), 3, 3, 1.0, True), *lines, *lines_of([[], ["1", "2", "3"]]))
    assert rows_of(table)[0] == ["a", "b", "c"]
    one = fill(TableGrid((head, *body), 3, 3, 1.0, True), line("one head", 60, 8, 240, 28))
    assert (one.cells[0].text, one.cells[0].column_span) == ("one head", 3)


def test_columns_that_the_network_overlooked_are_added() -> None:
    """Most rows have three texts, one below the other, and the grid has two columns."""
    lines = [text_at(f"{y}{x}", y, 0.7 * x, 40) for y in range(4) for x in range(3)]
    table = fill(make_grid(4, 2), *lines)
    assert table.columns == 3
    assert rows_of(table) == [[f"{y}{x}" for x in range(3)] for y in range(4)]


def test_short_rows_are_completed() -> None:
    """The network writes some rows with fewer cells than others."""
    whole = make_grid(3, 3)
    cells = tuple(cell for cell in whole.cells if (cell.row, cell.column) != (1, 2))
    rows = [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]]
    assert rows_of(fill(TableGrid(cells, 3, 3, 0.8), *lines_of(rows))) == rows


def test_a_head_in_two_rows_of_texts_is_one_row() -> None:
    """Names of unequal height that stand on one line; two levels of names stay two rows."""
    cells = tuple(GridCell(c.row, c.column, 1, 1, c.row < 2, c.quad) for c in make_grid(3, 2).cells)
    grid = TableGrid(cells, 3, 2, 0.8)
    upper = [line("Weight", 18, 18, 78, 38), line("Price", 118, 18, 178, 38)]
    lower = [line("in kg", 18, 42, 78, 62), line("in won", 118, 42, 178, 62)]
    body = [text_at("1", 2, 0), text_at("2", 2, 1)]
    assert rows_of(fill(grid, *upper, *lower, *body)) == [["Weight\nin kg", "Price\nin won"], ["1", "2"]]
    apart = [line("in kg", 18, 56, 78, 76), line("in won", 118, 56, 178, 76)]
    assert len(rows_of(fill(grid, *upper, *apart, *body))) == 3


@pytest.mark.parametrize(
    ("rows", "heads"),
    [
        ([["Item", "Price"], ["Bread", "3.40"], ["Milk", "1.29"]], 1),
        ([["품목", "금액"], ["연필", "1,200원"], ["공책", "3,000원"]], 1),
        ([["Year", "2003"], ["Bread", "3.40"], ["Milk", "1.29"]], 1),
        ([["Name", "Miriam"], ["Street", "Old Brewery Walk"]], 0),
        ([["1", "2"], ["3", "4"]], 0),
        ([["Total", "12.00"]], 0),
    ],
)
def test_words_above_columns_of_numbers_are_a_head(rows: list[list[str]], heads: int) -> None:
    """Where the network marked none; a form has none."""
    table = fill(make_grid(len(rows), 2, is_ruled=True), *lines_of(rows))
    assert {cell.row for cell in table.cells if cell.is_header} == set(range(heads))


def test_a_grid_without_cells_is_an_empty_table() -> None:
    """The network may find no cell at all."""
    table = fill(TableGrid((), 0, 0, 0.0), text_at("a", 0, 0))
    assert (table.rows, table.columns, table.cells) == (0, 0, ())


def test_no_line_is_lost_and_none_comes_twice() -> None:
    """However far the network's cells are from the texts."""
    random = np.random.default_rng(7)
    for _ in range(50):
        count = int(random.integers(1, 12))
        lines = [text_at(str(n), *random.uniform(0, 4, 2)) for n in range(count)]
        table = fill(make_grid(3, 3, *random.uniform(-60, 60, 2)), *lines)
        held = [index for cell in table.cells for index in cell.lines]
        assert sorted(held) == list(range(count))

"""Layout and table structure with the weights of the installed packages."""

import cv2
import numpy as np
import pytest

from configs.profile import AppArgs, load_profile
from deployments.models.layout import LayoutModel
from deployments.models.loader import load_layout, load_table
from deployments.models.table import TableModel

from fixtures.tables import draw_table, place_on_page
from paths import FIXTURES

pytestmark = pytest.mark.weights

ROWS = [
    ["Quarter", "Pieces", "Price"],
    ["First", "120", "3.50"],
    ["Second", "", "4.10"],
    ["Third", "95", "4.20"],
]


@pytest.fixture(scope="module")
def layout() -> LayoutModel:
    return load_layout(load_profile(AppArgs(profile="cpu"), 0).layout).model


@pytest.fixture(scope="module")
def table() -> TableModel:
    return load_table(load_profile(AppArgs(profile="cpu"), 0).table).model


@pytest.mark.parametrize("ruled", [True, False])
def test_the_grid_of_a_table_is_found(table: TableModel, ruled: bool) -> None:
    """Four rows and three columns, with and without lines, the empty cell included."""
    grid = table.read(draw_table(ROWS, ruled))
    assert (grid.rows, grid.columns, len(grid.cells)) == (4, 3, 12)
    assert grid.confidence > 0.8


def test_cells_lie_where_they_were_drawn(table: TableModel) -> None:
    """The middle of each cell that has text lies in the rectangle that was drawn for it."""
    pixels = draw_table(ROWS)
    for cell in table.read(pixels).cells:
        if ROWS[cell.row][cell.column]:
            x, y = cell.quad.mean(axis=0)
            assert (int((x - 20) // 260), int((y - 20) // 48)) == (cell.column, cell.row)


def test_a_batch_changes_nothing(table: TableModel, layout: LayoutModel) -> None:
    """Each answer depends on its own image alone."""
    one, other = draw_table(ROWS), draw_table([["a", "b"], ["c", "d"]])
    together = table.read_each([one, other, one])
    alone = table.read(one)
    assert all(isinstance(grid, type(alone)) for grid in together)
    assert [grid.rows for grid in together] == [4, 2, 4]  # type: ignore[union-attr]
    page = place_on_page(one)
    assert layout.find_each([page, page]) == [layout.find(page)] * 2


def test_the_table_of_a_page_is_found(layout: LayoutModel) -> None:
    """At the place where it stands, and the surest thing on the page."""
    table = draw_table(ROWS)
    page = place_on_page(table)
    region = next(region for region in layout.find(page) if region.kind == "table")
    left = (page.shape[1] - table.shape[1]) // 2
    drawn = np.array([left + 20, 520, left + 20 + 780, 520 + 192])
    assert np.abs(np.array(region.box) - drawn).max() < 25


def test_columns_of_prose_are_text(layout: LayoutModel) -> None:
    """A newspaper page: a headline, and at least two blocks of text side by side."""
    page = cv2.imread(str(FIXTURES / "columns.png"))
    regions = layout.find(page)
    texts = [region.box for region in regions if region.kind == "text"]
    assert any(left[2] < right[0] for left in texts for right in texts)
    assert layout.find(np.full_like(page, 255)) == ()


def test_the_smallest_image_is_no_error(table: TableModel, layout: LayoutModel) -> None:
    """A region may be one pixel wide."""
    pixel = np.zeros((1, 1, 3), np.uint8)
    assert table.read(pixel).rows >= 0
    assert layout.find(pixel) is not None

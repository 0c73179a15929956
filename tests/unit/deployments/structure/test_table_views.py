"""Tables cut out of their page, turned and put back."""

import numpy as np
import pytest

from deployments.blocks import GridCell, Region, TableGrid
from deployments.document import Angle
from deployments.structure.table_views import TableView, fill_tables, find_rotation, find_tables, put_back
from deployments.vision.geometry import bound_quad

from .conftest import line, quad

REGION = Region("table", 0.9, (10.2, 20.7, 50.1, 60))


def test_tables_are_found_on_the_page() -> None:
    """And what may be one: at least one pixel of each, also at the edge, and never more than there is."""
    pixels = np.zeros((100, 200, 3), np.uint8)
    edge = Region("figure", 0.9, (200, 100, 230, 130))
    views = find_tables([REGION, Region("text", 0.9, REGION.box), edge], pixels)
    assert [view.frame for view in views] == [(10, 20, 51, 60), (199, 99, 200, 100)]
    assert [view.cut(pixels).shape for view in views] == [(40, 41, 3), (1, 1, 3)]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_point_is_the_same_pixel_in_the_view_and_on_the_page(rotation: Angle) -> None:
    """Cutting and turning moves pixels as it moves points, there and back."""
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[33, 17] = 255
    view = TableView(REGION, (10, 20, 51, 60), rotation)
    y, x = (int(value) for value in np.argwhere(view.cut(pixels)[:, :, 0] == 255)[0])
    middle = np.array([[17.5, 33.5]], np.float32)
    assert view.to_view(middle).tolist() == [[x + 0.5, y + 0.5]]
    assert view.to_page(view.to_view(middle)).tolist() == middle.tolist()


def on_side(text: str, corner: int) -> object:
    """A line of 20 x 100 pixels whose text begins at one of the box's corners."""
    standing = line(text, 10, 10, 30, 110)
    return type(standing)(text, 0.9, np.roll(standing.quad, -corner, axis=0))


def test_the_text_tells_how_a_table_lies() -> None:
    """By the length of lines that stand; a single one among others says nothing."""
    assert find_rotation([]) == 0
    assert find_rotation([line("level", 0, 0, 100, 20)]) == 0
    # Text that runs down the page begins at the box's top right corner.
    down, up = on_side("down", 1), on_side("up", 3)
    assert find_rotation([down, down]) == 270
    assert find_rotation([up, up, line("x", 0, 0, 20, 20)]) == 90
    assert find_rotation([down, line("level", 0, 0, 100, 20), line("level", 0, 30, 100, 50)]) == 0


def test_a_turned_table_is_read_upright_and_placed_on_the_page() -> None:
    """Rows are those of the upright table; boxes and lines are the page's."""
    view = TableView(Region("table", 0.9, (100, 200, 180, 400)), (100, 200, 180, 400), 90)
    # Upright it is 200 wide and 80 high, with two cells side by side.
    cells = tuple(GridCell(0, x, 1, 1, False, quad(100 * x, 0, 100 * x + 100, 80)) for x in range(2))
    lines = put_back(view, [line("left", 10, 20, 90, 40), line("right", 110, 20, 190, 40)])
    assert [bound_quad(found.quad) for found in lines] == [(120, 310, 140, 390), (120, 210, 140, 290)]
    elsewhere = line("elsewhere", 500, 500, 600, 520)
    ((_, table),) = fill_tables([view.region], [view], [TableGrid(cells, 1, 2, 0.9)], [elsewhere, *lines])
    assert [(cell.text, cell.lines) for cell in table.cells] == [("left", (1,)), ("right", (2,))]
    assert [cell.box for cell in table.cells] == [(100, 300, 180, 400), (100, 200, 180, 300)]
    assert table.rotation == 90


def test_a_table_without_cells_is_none() -> None:
    """Its lines stay lines."""
    view = TableView(REGION, (10, 20, 51, 60))
    assert fill_tables([REGION], [view], [TableGrid((), 0, 0, 0.0)], [line("a", 12, 30, 40, 40)]) == []

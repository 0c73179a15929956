"""Tables of a page, those on their side included."""

from collections.abc import Sequence

import cv2
import numpy as np

from deployments.blocks import GridCell, Region, TableGrid
from deployments.document import Image, Line
from deployments.table_reading import read_tables, settle_tables

PIXELS = np.full((400, 600, 3), 255, np.uint8)
REGION = Region("table", 0.9, (100, 100, 180, 300))


def make_line(text: str, corners: Sequence[tuple[float, float]]) -> Line:
    return Line(text, 0.9, np.array(corners, np.float32))


STANDING = [(140, 110), (140, 290), (120, 290), (120, 110)]
LEVEL = [(110, 110), (170, 110), (170, 130), (110, 130)]


class Networks:
    """What the networks would answer, and what they were shown."""

    def __init__(self) -> None:
        self.tables: list[tuple[int, ...]] = []
        self.pages: list[tuple[int, ...]] = []

    async def read_grid(self, table: Image) -> TableGrid:
        self.tables.append(table.shape)
        height, width = table.shape[:2]
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        return TableGrid((GridCell(0, 0, 1, 1, False, corners),), 1, 1, 0.9)

    async def read_lines(self, page: Image) -> list[Line]:
        self.pages.append(page.shape)
        return [make_line("upright", [(10, 30), (190, 30), (190, 50), (10, 50)])]


async def read(networks: Networks, lines: Sequence[Line]) -> tuple[object, tuple[Line, ...]]:
    reading = await read_tables([REGION], PIXELS, networks.read_grid)
    return await settle_tables(reading, lines, PIXELS, networks.read_grid, networks.read_lines)


async def test_an_upright_table_is_read_once() -> None:
    """Its lines are those of the page."""
    networks, lines = Networks(), [make_line("a", LEVEL)]
    reading, found = await read(networks, lines)
    assert networks.tables == [(200, 80, 3)]
    assert networks.pages == []
    assert found == tuple(lines)
    assert [view.rotation for view in reading.views] == [0]  # type: ignore[attr-defined]


async def test_a_table_on_its_side_is_read_again_upright() -> None:
    """Its lines are replaced, in their place among the others."""
    networks = Networks()
    before, after = (
        make_line(text, [(300, y), (400, y), (400, y + 20), (300, y + 20)])
        for text, y in (("x", 9), ("y", 370))
    )
    reading, found = await read(networks, [before, make_line("garbled", STANDING), after])
    assert networks.tables == [(200, 80, 3), (80, 200, 3)]
    assert networks.pages == [(80, 200, 3)]
    assert [line.text for line in found] == ["x", "upright", "y"]
    assert reading.views[0].rotation == 270  # type: ignore[attr-defined]
    left, top = found[1].quad.min(axis=0)
    right, bottom = found[1].quad.max(axis=0)
    assert (left, top, right, bottom) == (130, 110, 150, 290)


async def test_what_was_read_stays_where_nothing_is_read_upright() -> None:
    """A second look that finds nothing takes nothing away."""
    networks = Networks()

    async def read_nothing(_: Image) -> list[Line]:
        return []

    standing = make_line("text", STANDING)
    reading = await read_tables([REGION], PIXELS, networks.read_grid)
    again, found = await settle_tables(reading, [standing], PIXELS, networks.read_grid, read_nothing)
    assert again == reading
    assert found == (standing,)


def draw_ruled() -> Image:
    """A figure's place on a page, ruled in three rows and two columns."""
    pixels = PIXELS.copy()
    for y in (100, 160, 220, 280):
        cv2.line(pixels, (100, y), (500, y), (0, 0, 0), 2)
    for x in (100, 300, 500):
        cv2.line(pixels, (x, 100), (x, 280), (0, 0, 0), 2)
    return pixels


async def test_a_figure_that_is_ruled_and_filled_is_a_table() -> None:
    """The layout network took it for a picture; the table network is not asked."""
    networks, pixels = Networks(), draw_ruled()
    figure = Region("figure", 0.9, (95, 95, 505, 285))
    lines = [
        make_line(f"{y}{x}", [(left, top), (left + 60, top), (left + 60, top + 20), (left, top + 20)])
        for y, top in enumerate((120, 180, 240))
        for x, left in enumerate((150, 350))
    ]
    reading = await read_tables([figure], pixels, networks.read_grid)
    settled, found = await settle_tables(reading, lines, pixels, networks.read_grid, networks.read_lines)
    assert networks.tables == []
    assert found == tuple(lines)
    assert [region.kind for region in settled.regions] == ["table"]
    assert [(grid.rows, grid.columns) for grid in settled.grids] == [(3, 2)]


async def test_a_chart_with_a_grid_stays_a_figure() -> None:
    """Its cells are empty; so does a picture without strokes."""
    networks, figure = Networks(), Region("figure", 0.9, (95, 95, 505, 285))
    label = make_line("12", [(150, 120), (190, 120), (190, 140), (150, 140)])
    for pixels in (draw_ruled(), PIXELS):
        reading = await read_tables([figure], pixels, networks.read_grid)
        settled, _ = await settle_tables(reading, [label], pixels, networks.read_grid, networks.read_lines)
        assert settled.regions == (figure,)
        assert settled.views == settled.grids == ()

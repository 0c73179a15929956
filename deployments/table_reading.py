"""The tables of a page: their grids, and those that lie on their side read again, upright.

Nothing here knows Ray (see `deployments.flow`).
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

from deployments.blocks import Region, TableGrid
from deployments.document import Image, Line
from deployments.gathering import gather_both, gather_in_order
from deployments.structure.regions import share_out
from deployments.structure.ruled import choose_grid, read_ruled_grid
from deployments.structure.table_views import TableView, find_rotation, find_tables, holds_text, put_back

ReadGrid = Callable[[Image], Coroutine[Any, Any, TableGrid]]
ReadLines = Callable[[Image], Coroutine[Any, Any, Sequence[Line]]]


@dataclass(frozen=True)
class TableReading:
    """The regions of a page, where its tables are, and the grid of each in pixels of its view."""

    regions: tuple[Region, ...] = ()
    views: tuple[TableView, ...] = ()
    grids: tuple[TableGrid, ...] = ()


async def read_tables(regions: Sequence[Region], pixels: Image, read_grid: ReadGrid) -> TableReading:
    """The grids of a page's tables, whose lines nobody knows yet.

    A figure that is ruled like a table is read as one: the layout network takes some for pictures.
    """
    views = find_tables(regions, pixels)
    grids = await gather_in_order([_read_grid(view, pixels, read_grid) for view in views])
    found = [(view, grid) for view, grid in zip(views, grids, strict=True) if grid is not None]
    return TableReading(tuple(regions), tuple(view for view, _ in found), tuple(grid for _, grid in found))


async def _read_grid(view: TableView, pixels: Image, read_grid: ReadGrid) -> TableGrid | None:
    """The grid of a table; None for a figure that is none."""
    cut = view.cut(pixels)
    ruling = asyncio.to_thread(read_ruled_grid, cut)
    if view.region.kind == "figure":
        return await ruling
    network, ruled = await gather_both(read_grid(cut), ruling)
    return choose_grid(network, ruled)


async def settle_tables(
    reading: TableReading, lines: Sequence[Line], pixels: Image, read_grid: ReadGrid, read_lines: ReadLines
) -> tuple[TableReading, tuple[Line, ...]]:
    """The tables and the lines of a page, once both are there.

    Ruled figures without text in their cells stay figures. Tables whose text stands on its side are read
    again: short texts on their side are misread, since nobody can tell which way a crop of two digits lies.
    So the whole table is turned, and its lines replace those that were found before.
    """
    reading = _settle_figures(reading, lines)
    members = share_out([view.region for view in reading.views], lines)
    views, grids, replaced = list(reading.views), list(reading.grids), {}
    for number, inside in enumerate(members):
        rotation = find_rotation([lines[index] for index in inside])
        if rotation:
            view = replace(views[number], rotation=rotation)
            grid, found = await gather_both(_read_grid(view, pixels, read_grid), read_lines(view.cut(pixels)))
            if found and grid is not None:
                views[number], grids[number] = view, grid
                replaced[number] = put_back(view, found)
    settled = replace(reading, views=tuple(views), grids=tuple(grids))
    return settled, _replace_lines(lines, members, replaced)


def _settle_figures(reading: TableReading, lines: Sequence[Line]) -> TableReading:
    """The reading with those figures as tables whose cells hold text, the others none of its tables."""
    members = share_out([view.region for view in reading.views], lines)
    regions = {id(region): region for region in reading.regions}
    views, grids = [], []
    for view, grid, inside in zip(reading.views, reading.grids, members, strict=True):
        if view.region.kind == "figure":
            if not holds_text(view, grid, [lines[index] for index in inside]):
                continue
            table = replace(view.region, kind="table")
            regions[id(view.region)] = table
            view = replace(view, region=table)
        views.append(view)
        grids.append(grid)
    return TableReading(tuple(regions.values()), tuple(views), tuple(grids))


def _replace_lines(
    lines: Sequence[Line], members: Sequence[Sequence[int]], replaced: dict[int, list[Line]]
) -> tuple[Line, ...]:
    """The lines with those of turned tables in the place of the first that they replace."""
    owner = {index: number for number in replaced for index in members[number]}
    settled: list[Line] = []
    for index, line in enumerate(lines):
        if index not in owner:
            settled.append(line)
        elif index == members[owner[index]][0]:
            settled += replaced[owner[index]]
    return tuple(settled)

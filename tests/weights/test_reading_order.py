"""The order in which the pages of the repository are read, with the weights of the installed packages."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from configs.profile import AppArgs, load_profile
from configs.settings import ModelStage
from deployments.blocks import TableGrid
from deployments.document import Image, Line, Page
from deployments.flow import build_line
from deployments.models.detection import DetectionRequest
from deployments.models.layout import LayoutModel
from deployments.models.loader import load_detection, load_layout, load_recognition, load_table
from deployments.models.recognition import RecognitionRequest
from deployments.structure.assembly import assemble_blocks
from deployments.structure.marks import mark_document
from deployments.structure.regions import choose_regions, drop_grounds
from deployments.structure.table_views import fill_tables
from deployments.table_reading import read_tables, settle_tables
from deployments.vision.geometry import crop_lines
from deployments.vision.reading_order import order_lines

from fixtures.tables import draw_table, place_on_page
from paths import FIXTURES

pytestmark = pytest.mark.weights

STRUCTURE = FIXTURES / "structure"
TRUTH: dict[str, dict[str, Any]] = {
    Path(row["file"]).name: row
    for row in map(json.loads, (STRUCTURE / "gt.jsonl").read_text(encoding="utf-8").splitlines())
}
ROWS = [
    ["Quarter", "Pieces", "Price"],
    ["First", "120", "3.50"],
    ["Second", "75", "4.10"],
    ["Third", "95", "4.20"],
]


class Reader:
    """The models of the profile ``cpu``, in this process, in the order of `deployments.flow`."""

    def __init__(self) -> None:
        profile = load_profile(AppArgs(profile="cpu"), 0)
        self._detection = load_detection(_cold(profile.detection)).model
        self._recognition = load_recognition(_cold(profile.recognition)).model
        self.layout: LayoutModel = load_layout(_cold(profile.layout)).model
        self._table = load_table(_cold(profile.table)).model

    def read(self, pixels: Image, number: int = 1, lines: Sequence[Line] | None = None) -> Page:
        """A page; its lines may be known."""
        return asyncio.run(self._read(pixels, number, lines))

    async def _read(self, pixels: Image, number: int, known: Sequence[Line] | None) -> Page:
        lines = known if known is not None else await self._read_lines(pixels)
        height, width = pixels.shape[:2]
        regions = choose_regions(self.layout.find(pixels))
        found = await read_tables(regions, pixels, self._read_grid)
        if known is None:
            found, lines = await settle_tables(found, lines, pixels, self._read_grid, self._read_lines)
        regions = drop_grounds(found.regions, lines, width * height)
        tables = fill_tables(regions, found.views, found.grids, lines)
        blocks = assemble_blocks(regions, lines, tables, height)
        return Page(number, width, height, 0, tuple(lines), blocks=blocks, tables=tuple(t for _, t in tables))

    async def _read_grid(self, table: Image) -> TableGrid:
        return self._table.read(table)

    async def _read_lines(self, pixels: Image) -> list[Line]:
        (found,) = self._detection.detect([DetectionRequest(pixels)])
        crops = crop_lines(pixels, found.quads[order_lines(found.quads)])
        request = RecognitionRequest(
            tuple(c.pixels for c in crops), tuple(not c.upright for c in crops), words=True
        )
        (texts,) = self._recognition.read([request])
        return [build_line(crop, text) for crop, text in zip(crops, texts, strict=True) if text.text]


def _cold(stage: ModelStage) -> Any:
    return stage.model_copy(update={"warm_up": False})


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def load(name: str) -> Image:
    return cv2.imread(str(STRUCTURE / "images" / name))


def known_lines(name: str) -> list[Line]:
    """The lines of the truth."""
    return [Line(line["text"], 1.0, np.array(line["box"], np.float32)) for line in TRUTH[name]["lines"]]


def find_owner(line: Line, regions: Sequence[dict[str, Any]]) -> int | None:
    """The place of the block of the truth in which a line's middle lies, None in the margins."""
    x, y = line.quad.mean(axis=0)
    for region in regions:
        (left, top), (right, bottom) = np.min(region["box"], 0), np.max(region["box"], 0)
        if left <= x <= right and top <= y <= bottom:
            return region["order"]  # type: ignore[no-any-return]
    raise AssertionError(f"{line.text} is in no block")


def read_order(page: Page, name: str) -> list[int]:
    """The blocks of the truth in the order in which their lines are read; figures have none."""
    owners = [find_owner(page.lines[i], TRUTH[name]["regions"]) for block in page.blocks for i in block.lines]
    return [owner for owner in dict.fromkeys(owners) if owner is not None]


def true_order(name: str) -> list[int]:
    return [r["order"] for r in TRUTH[name]["regions"] if r["order"] is not None and r["label"] != "figure"]


@pytest.mark.parametrize("name", sorted(name for name, row in TRUTH.items() if row["lang"] == "en"))
def test_pages_are_read_as_they_were_written(reader: Reader, name: str) -> None:
    """Columns, a sidebar, lists, captions, footnotes: every block in its place."""
    assert read_order(reader.read(load(name)), name) == true_order(name)


def test_korean_columns_are_read_one_after_the_other(reader: Reader) -> None:
    """No installed package reads Korean, so the text is given."""
    name = "two_columns_ko.png"
    page = reader.read(load(name), lines=known_lines(name))
    assert read_order(page, name) == true_order(name)
    text = "\n".join(block.text for block in page.blocks)
    # Divided between two lines of the left column, and whole again.
    assert "도서관은 언덕 아래 작은 광장 옆에 있다." in text
    assert "사서가 문을 열고 창가의 화분에 물을 준다." in text
    # The right column ends its lines between words.
    assert "이번 달에 읽는 책은 바다를 건너온 상인의 이야기이다." in text


def test_captions_stand_beside_what_they_name(reader: Reader) -> None:
    """The table's above it, the figure's below it."""
    kinds = [block.kind for block in reader.read(load("captions.png")).blocks]
    table, figure = kinds.index("table"), kinds.index("figure")
    assert kinds[table - 1] == kinds[figure + 1] == "caption"


def test_lists_have_their_items(reader: Reader) -> None:
    """Numbered ones with lines that go on, and bullets with items inside items."""
    lists = [
        block.text.split("\n") for block in reader.read(load("lists.png")).blocks if block.kind == "list"
    ]
    steps, tools = lists
    assert [step[:2] for step in steps] == ["1.", "2.", "3.", "4."]
    assert steps[1].endswith("takes three hours or so.")
    assert [len(tool) - len(tool.lstrip()) for tool in tools] == [0, 0, 2, 2, 0]


def test_a_report_is_one_document(reader: Reader) -> None:
    """Running heads, page numbers, a table that goes on, and levels that hold for all pages."""
    pages = mark_document([reader.read(load(f"report_{n}.png"), n) for n in (1, 2, 3)])
    for page in pages:
        assert page.blocks[0].kind == "header"
        assert page.blocks[0].text.startswith("Lark Valley Mills")
        assert page.blocks[-1].kind == "footer"
        assert str(page.number + 10) in page.blocks[-1].text
    first, second = pages[0].tables[0], pages[1].tables[0]
    assert (first.columns, first.continues_next, second.continues_previous) == (4, True, True)
    assert not first.continues_previous
    assert not second.continues_next
    headings = [(b.text, b.level) for page in pages for b in page.blocks if b.kind in ("title", "heading")]
    assert headings == [("What the Valley Grew", 1), ("Harvests", 2), ("Weather", 2), ("Outlook", 2)]


@pytest.mark.parametrize("turns", [1, 3])
def test_a_table_on_its_side_is_read_upright(reader: Reader, turns: int) -> None:
    """A page that stands upright with a table that does not: every cell, where it stands on the page."""
    table = np.ascontiguousarray(np.rot90(draw_table(ROWS), turns))
    page = reader.read(place_on_page(table))
    (found,) = page.tables
    assert found.rotation == 90 * turns
    assert [cell.text for cell in found.cells] == [text for row in ROWS for text in row]
    for cell in found.cells:
        for index in cell.lines:
            x, y = page.lines[index].quad.mean(axis=0)
            assert cell.box[0] < x < cell.box[2]
            assert cell.box[1] < y < cell.box[3]
    assert "thousands of pieces" in " ".join(block.text for block in page.blocks)
    assert asdict(found)["continues_next"] is False


def test_a_ruled_table_is_read_cell_by_cell(reader: Reader) -> None:
    """The head is known from the numbers below it, or from the network."""
    (found,) = reader.read(place_on_page(draw_table(ROWS))).tables
    assert [cell.text for cell in found.cells] == [text for row in ROWS for text in row]
    assert {cell.row for cell in found.cells if cell.is_header} == {0}


def test_a_table_without_strokes_between_its_cells_is_read_cell_by_cell(reader: Reader) -> None:
    """As journals set them: strokes above, below, and under the head."""
    (found,) = reader.read(load("captions.png")).tables
    assert (found.rows, found.columns) == (5, 4)
    truth = next(r for r in TRUTH["captions.png"]["regions"] if r["label"] == "table")
    assert " ".join(cell.text for cell in found.cells) == truth["text"]
    assert {cell.row for cell in found.cells if cell.is_header} == {0}

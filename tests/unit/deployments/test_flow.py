"""The way of a document, with stages that are plain functions."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from deployments.admission import Admission
from deployments.document import (
    DetectedLines,
    DetectionOptions,
    Image,
    ReadOptions,
    TextLayer,
)
from deployments.errors import Busy
from deployments.input_errors import PageOutOfRange, TooManyPages
from deployments.reading import open_reading

from flow_stages import LIMITS, Book, make_stages, read


async def test_lines_come_in_reading_order() -> None:
    """What stands higher is read first, whatever the detector's order."""
    document = await read(make_stages(Book(1)))
    assert document.text == "y=10\ny=60"


async def test_every_page_is_accounted_for_when_one_is_broken() -> None:
    """A broken page has its error in its place; the others have their text."""
    document = await read(make_stages(Book(3, broken=[2])))
    assert [page.number for page in document.pages] == [1, 2, 3]
    assert document.pages[1].error is not None
    assert document.pages[1].error.code == "malformed_pdf"
    assert (document.pages_total, document.pages_processed) == (3, 2)


async def test_an_unforeseen_failure_of_a_page_tells_nothing_of_itself() -> None:
    """A bug's own words may quote the document: the page says only that a stage failed."""
    book = Book(2, broken=[1], error=RuntimeError)
    document = await read(make_stages(book))
    assert document.pages[0].error is not None
    assert document.pages[0].error.code == "stage_failed"
    assert "page 1" not in document.pages[0].error.message


async def test_a_service_without_room_says_so_for_the_whole_request() -> None:
    """Busy is no property of a page: it is raised as itself, not in a group and not in a page."""
    with pytest.raises(Busy):
        await read(make_stages(Book(3, broken=[2], error=Busy)))


async def test_only_the_pages_asked_for_are_read() -> None:
    """`pages` chooses; the total still counts all."""
    document = await read(make_stages(Book(9)), ReadOptions(pages=(2, 7)))
    assert [page.number for page in document.pages] == [2, 7]
    assert document.pages_total == 9


async def test_a_page_beyond_the_end_is_refused() -> None:
    """Nothing is read when a page is asked for that is not there."""
    with pytest.raises(PageOutOfRange):
        await read(make_stages(Book(3)), ReadOptions(pages=(1, 4)))


async def test_too_many_pages_are_refused_not_cut() -> None:
    """A long document is never silently shortened."""
    with pytest.raises(TooManyPages):
        await read(make_stages(Book(11)))


async def test_a_document_that_claims_endless_pages_is_refused_at_once() -> None:
    """Nothing of the claimed size is made."""
    with pytest.raises(TooManyPages):
        await read(make_stages(Book(10**12)))


async def test_few_pages_are_in_memory_at_a_time() -> None:
    """However long the document, no more pages than the limit are on their way."""
    book = Book(10)
    await read(make_stages(book))
    assert book.most_in_flight <= LIMITS.pages_in_flight


async def test_a_turned_page_has_the_size_of_the_upright_one() -> None:
    """Width, height and coordinates are those of the page after turning."""
    page = (await read(make_stages(Book(1), angle=90))).pages[0]
    assert (page.width, page.height, page.rotation) == (200, 100, 90)


async def test_a_line_upside_down_starts_at_its_own_top_left() -> None:
    """The quad of a flipped line begins where its text begins."""
    page = (await read(make_stages(Book(1), flipped=True))).pages[0]
    assert page.lines[0].quad[0].tolist() == [90, 30]


async def test_words_lie_on_their_line() -> None:
    """Half of the line's text covers half of the line's quad."""
    page = (await read(make_stages(Book(1)), ReadOptions(words=True))).pages[0]
    assert page.lines[0].words is not None
    assert page.lines[0].words[0].quad.tolist() == [[10, 10], [50, 10], [50, 30], [10, 30]]


async def test_lines_below_the_threshold_are_left_out() -> None:
    """`rec_score_thresh` drops what the recogniser is not sure of."""
    document = await read(make_stages(Book(1)), ReadOptions(rec_score_thresh=0.95))
    assert document.pages[0].lines == ()


async def test_a_document_without_room_is_refused_before_any_page_is_loaded() -> None:
    """It is not even decoded, and what was let in before gives its room back."""
    admission = Admission(max_queue_s=1.0, pixels_per_s=100.0)
    book = Book(1)
    with admission.admit(500, 1, 1), pytest.raises(Busy):
        await read(make_stages(book), admission=admission)
    assert book.most_in_flight == 0
    await read(make_stages(book), admission=admission)
    assert admission.wait_s == 0.0


async def test_structure_is_read_beside_the_text() -> None:
    """Blocks in reading order, the table with its cell's text, and the same lines as without structure."""
    (page,) = (await read(make_stages(Book(1)), ReadOptions(structure=True))).pages
    assert [(block.kind, block.level) for block in page.blocks] == [("title", 1), ("table", None)]
    assert [cell.text for cell in page.tables[0].cells] == ["y=60"]
    assert page.text == "y=10\ny=60"
    assert {"layout", "table", "assembly"} <= page.stage_ms.keys()


async def test_tables_may_be_left_out() -> None:
    """The block is there with its text; nobody looks for cells."""
    (page,) = (await read(make_stages(Book(1)), ReadOptions(structure=True, tables=False))).pages
    assert page.tables == ()
    assert (page.blocks[1].kind, page.blocks[1].text, page.blocks[1].table) == ("table", "y=60", None)


async def test_no_structure_unless_it_is_asked_for() -> None:
    """Reading text alone does not pay for layout."""
    (page,) = (await read(make_stages(Book(1)))).pages
    assert page.blocks == ()
    assert "layout" not in page.stage_ms


def state(*texts: str, hidden: bool = False) -> TextLayer:
    """A layer with these texts over the upper and the lower line of the page."""
    boxes, characters = [], ""
    for top, text in zip((10, 60), texts, strict=False):
        step = 80 / len(text)
        boxes += [(10 + i * step, top, 10 + (i + 1) * step, top + 20) for i in range(len(text))]
        characters += text
    return TextLayer(characters, np.array(boxes, np.float32), np.full(len(characters), hidden))


@pytest.mark.parametrize(
    ("mode", "layer", "text"),
    [
        ("auto", state("y=10", "y=60"), "y=10\ny=60"),
        ("auto", state("y=10"), "y=10\ny=60"),
        ("auto", state("nonsense", "falsehood"), "y=10\ny=60"),
        ("prefer", state("nonsense", "falsehood"), "nonsense\nfalsehood"),
        ("prefer", state("nonsense"), "nonsense\ny=60"),
        ("prefer", state("\ufffd" * 8, "lies"), "y=10\ny=60"),
    ],
)
async def test_a_layer_gives_the_text_of_the_lines_that_it_covers(mode, layer, text) -> None:
    """Checked against the pixels, or taken at its word; the lines beside it are read."""
    options = ReadOptions(orientation=False, text_layer=mode)
    (page,) = (await read(make_stages(Book(1, layer=layer)), options)).pages
    assert page.text == text


async def test_lines_say_where_their_text_comes_from() -> None:
    """Stated or read."""
    options = ReadOptions(orientation=False, text_layer="prefer")
    (page,) = (await read(make_stages(Book(1, layer=state("nonsense"))), options)).pages
    assert [line.from_layer for line in page.lines] == [True, False]


async def test_a_page_is_made_flat_before_it_is_read() -> None:
    """Its size is that of the flat page, and the layer, which lies on the other, is not used."""
    book = Book(1, layer=state("y=10", "y=60"))
    (page,) = (await read(make_stages(book), ReadOptions(unwarp=True, text_layer="prefer"))).pages
    assert (page.width, page.height) == (300, 400)
    assert [line.from_layer for line in page.lines] == [False, False]
    assert page.stage_ms.keys() >= {"unwarping"}


async def test_a_turned_page_finds_its_layer() -> None:
    """The layer lies where the page was drawn, the lines where it was turned."""
    layer = state("nonsense")
    # The upper line as the page stood before it was turned upright by 180 degrees.
    boxes = np.array([100, 200, 100, 200], np.float32) - layer.boxes[:, [2, 3, 0, 1]]
    book = Book(1, layer=TextLayer(layer.text, boxes, layer.hidden))
    (page,) = (await read(make_stages(book, angle=180), ReadOptions(text_layer="prefer"))).pages
    assert page.text == "nonsense\ny=60"


async def test_words_are_returned_when_they_are_asked_for() -> None:
    """Tables need them, callers may not."""
    without = await read(make_stages(Book(1)), ReadOptions(structure=True))
    assert [line.words for line in without.pages[0].lines] == [None, None]
    asked = await read(make_stages(Book(1)), ReadOptions(structure=True, words=True))
    assert all(line.words for line in asked.pages[0].lines)
    assert asked.options.words
    assert not without.options.words


async def test_a_table_on_its_side_is_turned() -> None:
    """Its cells and its lines come back in pixels of the page."""
    stages = make_stages(Book(1))

    async def detect(pixels: Image, options: DetectionOptions) -> DetectedLines:
        # On the page the text runs down; in the turned table it is level.
        standing = [[84, 55], [90, 55], [90, 85], [84, 85]]
        level = [[0, 5], [30, 5], [30, 11], [0, 11]]
        quads = standing if pixels.shape[0] == 200 else level
        return DetectedLines(np.array([quads], np.float32), np.ones(1, np.float32))

    turned = dataclasses.replace(stages, detect=detect)
    document = await read(turned, ReadOptions(structure=True))
    (page,) = document.pages
    (table,) = page.tables
    assert table.rotation == 270
    assert table.cells[0].box == (5, 55, 95, 85)
    assert table.cells[0].lines == (0,)
    (line,) = page.lines
    assert line.quad.min(axis=0).tolist() == [84, 55]
    assert line.quad.max(axis=0).tolist() == [90, 85]


async def test_large_pages_wait_for_room() -> None:
    """A page that was loaded waits until the stages let it in, and makes room when it is done."""
    book = Book(3)
    inside, most = 0, 0

    @asynccontextmanager
    async def make_room(pixels: Image) -> AsyncIterator[None]:
        nonlocal inside, most
        async with gate:
            inside += 1
            most = max(most, inside)
            yield
            inside -= 1

    gate = asyncio.Semaphore(1)
    stages = dataclasses.replace(make_stages(book), make_room=make_room)
    async with open_reading(b"", stages, ReadOptions(), LIMITS, Admission(60, 1e6)) as reading:
        pages = [page async for page in reading.read_pages()]
    assert [page.error for page in pages] == [None] * 3
    assert (most, inside) == (1, 0)

"""Reading the structure of documents over HTTP."""

import asyncio
from base64 import b64encode
from dataclasses import replace

import cv2
import httpx
import numpy as np
import pytest

from deployments.blocks import Block, Picture, Table, TableCell
from deployments.document import Line, Page
from serve_app.api.formats import MEDIA_TYPES

PNG = {"content": b"\x89PNG", "headers": {"content-type": "image/png"}}
BOX = (1.0, 2.0, 30.123456, 40.0)
QUAD = np.array([[1, 2], [30, 2], [30, 40], [1, 40]], np.float32)


@pytest.fixture(autouse=True)
def page(reader) -> None:
    """A title and a table."""
    cells = (TableCell(0, 0, 1, 1, False, "a", BOX, (1,)), TableCell(0, 1, 1, 1, False, "b", BOX))
    blocks = (Block("title", BOX, "Hello", (0,), 0.98765, 1), Block("table", BOX, "a", (1,), 0.9, table=0))
    lines = (Line("Hello", 0.9, QUAD), Line("a", 0.9, QUAD))
    reader.pages = (Page(1, 40, 50, 0, lines, blocks=blocks, tables=(Table(1, 2, cells, BOX, 0.81236),)),)


@pytest.mark.parametrize("path", ["/structure", "/v1/structure"])
async def test_a_document_becomes_blocks_and_tables(client: httpx.AsyncClient, reader, path: str) -> None:
    """JSON unless the caller wants something else."""
    answer = await client.post(path, **PNG)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    (read,) = answer.json()["pages"]
    assert read["blocks"][0] == {
        "kind": "title",
        "box": [1.0, 2.0, 30.12, 40.0],
        "confidence": 0.9877,
        "text": "Hello",
        "lines": [0],
        "level": 1,
    }
    assert read["tables"][0]["html"] == "<table><tbody><tr><td>a</td><td>b</td></tr></tbody></table>"
    assert read["tables"][0]["cells"][0]["lines"] == [1]
    assert answer.json()["markdown"].startswith("# Hello")
    assert reader.calls[0][1].structure is True


@pytest.mark.parametrize(
    ("accept", "media_type", "start"),
    [
        ("text/markdown", "text/markdown", "# Hello"),
        ("text/html", "text/html", "<!DOCTYPE html>"),
        ("text/plain", "text/plain", "Hello"),
        ("text/csv", "text/csv", "a,b"),
        ("text/csv;q=0.5, text/markdown", "text/markdown", "# Hello"),
        ("image/tiff, */*;q=0.1", "application/json", "{"),
        ("application/*", "application/json", "{"),
        ("application/json;q=0, text/*", "text/markdown", "# Hello"),
    ],
)
async def test_the_form_follows_accept(
    client: httpx.AsyncClient, accept: str, media_type: str, start: str
) -> None:
    """The form that the caller likes best."""
    answer = await client.post(
        "/structure", content=PNG["content"], headers={**PNG["headers"], "accept": accept}
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert answer.text.startswith(start)
    assert (answer.headers["x-pages-total"], answer.headers["x-pages-processed"]) == ("1", "1")


async def test_the_option_wins_over_accept(client: httpx.AsyncClient) -> None:
    """A link cannot carry a header."""
    answer = await client.post("/structure?format=csv", **PNG)
    assert answer.text == "a,b\r\n"


async def test_a_form_that_there_is_not_is_refused(client: httpx.AsyncClient, reader) -> None:
    """Before the document is read."""
    headers = {**PNG["headers"], "accept": "image/tiff"}
    answer = await client.post("/structure", content=PNG["content"], headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
    answer = await client.post("/structure?format=docx", **PNG)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_option")
    assert reader.calls == []


async def test_options_of_structure_are_none_of_ocr(client: httpx.AsyncClient, reader) -> None:
    """`/ocr` says that it does not know them; `/structure` takes those of `/ocr` too."""
    assert (await client.post("/ocr?tables=false", **PNG)).status_code == 422
    answer = await client.post("/structure?tables=false&dpi=100", **PNG)
    assert answer.status_code == 200
    assert (reader.calls[0][1].tables, reader.calls[0][1].dpi) == (False, 100)
    assert answer.json()["options"]["tables"] is False


async def test_without_a_key_nothing_is_read(stranger: httpx.AsyncClient, reader) -> None:
    """The same door as for text."""
    assert (await stranger.post("/structure", **PNG)).status_code == 401
    assert reader.calls == []


async def test_a_document_whose_only_page_failed_is_an_error(client: httpx.AsyncClient, reader) -> None:
    """In every form."""
    reader.fail_pages(1)
    answer = await client.post("/structure?format=markdown", **PNG)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_pdf")


@pytest.mark.parametrize(
    ("form", "media_type", "start", "disposition"),
    [
        ("hocr", "text/vnd.hocr+html", b"<?xml", 'attachment; filename="document.hocr"'),
        ("alto", "application/alto+xml", b"<?xml", 'attachment; filename="document.alto.xml"'),
        (
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            b"PK",
            'attachment; filename="document.xlsx"',
        ),
        ("pdf", "application/pdf", b"%PDF", 'attachment; filename="document.pdf"'),
        ("overlay", "image/png", b"\x89PNG", 'inline; filename="overlay.png"'),
    ],
)
async def test_a_file_is_answered_as_one(
    client: httpx.AsyncClient, form: str, media_type: str, start: bytes, disposition: str
) -> None:
    """By its option and by `Accept`, with a name to save it under."""
    headers = {**PNG["headers"], "accept": media_type}
    for answer in (
        await client.post(f"/structure?format={form}", **PNG),
        await client.post("/structure", content=PNG["content"], headers=headers),
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].partition(";")[0] == media_type
        assert answer.headers["content-disposition"] == disposition
        assert answer.headers["x-pages-total"] == "1"
        assert answer.content.startswith(start)


@pytest.mark.parametrize(
    ("query", "words", "figures"),
    [
        ("format=hocr", True, False),
        ("format=alto", True, False),
        ("format=pdf&figures=true", True, False),
        ("format=markdown&figures=true", False, True),
        ("figures=true", False, True),
        ("words=true", True, False),
        ("format=xlsx", False, False),
    ],
)
async def test_what_a_form_needs_is_read(
    client: httpx.AsyncClient, reader, query: str, words: bool, figures: bool
) -> None:
    """Words where the form has places for them, pictures where it can carry them."""
    assert (await client.post(f"/structure?{query}", **PNG)).status_code == 200
    options = reader.calls[0][1]
    assert (options.words, options.figures) == (words, figures)


async def test_a_pdf_is_written_from_what_was_sent_and_read(client: httpx.AsyncClient, reader) -> None:
    """Both go to the reader, which alone touches files of callers."""
    await client.post("/structure?format=pdf", **PNG)
    ((data, document),) = reader.written
    assert data == PNG["content"]
    assert document.pages == reader.pages


async def test_an_overlay_is_the_page_as_it_was_turned(client: httpx.AsyncClient, reader) -> None:
    """Its boxes are those of the upright page."""
    reader.pages = (replace(reader.pages[0], rotation=90, width=40, height=20),)
    answer = await client.post("/structure?format=overlay", **PNG)
    assert cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR).shape == (20, 40, 3)


@pytest.mark.parametrize(
    ("pages_total", "query", "status"),
    [(1, "", 200), (3, "", 422), (3, "&pages=2", 200), (3, "&pages=1-2", 422)],
)
async def test_an_overlay_shows_one_page(
    client: httpx.AsyncClient, reader, pages_total: int, query: str, status: int
) -> None:
    """More are refused before anything is read."""
    reader.pages_total = pages_total
    answer = await client.post(f"/structure?format=overlay{query}", **PNG)
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["code"] == "one_page_only"
        assert reader.calls == []


@pytest.mark.parametrize("form", ["pdf", "overlay"])
async def test_a_flat_page_is_not_shown_over_the_warped_one(
    client: httpx.AsyncClient, reader, form: str
) -> None:
    """Boxes of the flat page would lie beside the words of the file's."""
    answer = await client.post(f"/structure?format={form}&unwarp=true", **PNG)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_option")
    assert reader.calls == []


async def test_an_overlay_of_a_failed_page_is_its_error(client: httpx.AsyncClient, reader) -> None:
    """There is nothing to show."""
    reader.fail_pages(2)
    reader.pages_total = 3
    answer = await client.post("/structure?format=overlay&pages=2", **PNG)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_pdf")


async def test_figures_are_pictures_in_the_blocks(client: httpx.AsyncClient, reader) -> None:
    """Once in JSON, where Markdown goes without them; in Markdown and HTML as they are."""
    picture = Picture("image/png", b"a picture", 3, 4)
    reader.pages = (Page(1, 40, 50, blocks=(Block("figure", BOX, "", picture=picture),)),)
    answer = await client.post("/structure?figures=true", **PNG)
    (block,) = answer.json()["pages"][0]["blocks"]
    data = b64encode(b"a picture").decode()
    assert block["image"] == {"media_type": "image/png", "data": data, "width": 3, "height": 4}
    assert answer.text.count(data) == 1
    assert answer.json()["options"]["figures"] is True
    markdown = await client.post("/structure?figures=true&format=markdown", **PNG)
    assert markdown.text == f"![figure](data:image/png;base64,{data})\n"
    page = await client.post("/structure?figures=true&format=html", **PNG)
    assert f'<img src="data:image/png;base64,{data}" alt="figure">' in page.text


async def test_writing_counts_against_the_time_limit(client: httpx.AsyncClient, reader) -> None:
    """A form that takes for ever is given up."""

    async def hang(data: bytes, document: object) -> bytes:
        await asyncio.Event().wait()
        return b""

    reader.write_pdf = hang
    answer = await client.post("/structure?format=pdf&timeout_s=0.05", **PNG)
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")


async def test_every_form_is_described(client: httpx.AsyncClient) -> None:
    """With its media type; files are binary."""
    described = (await client.get("/openapi.json")).json()["paths"]["/structure"]["post"]["responses"]["200"]
    assert set(MEDIA_TYPES.values()) <= set(described["content"])
    assert described["content"]["application/pdf"]["schema"] == {"type": "string", "format": "binary"}

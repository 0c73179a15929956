"""Reading the structure of documents over HTTP."""

import httpx
import pytest

from deployments.blocks import Block, Table, TableCell
from deployments.document import Page

PNG = {"content": b"\x89PNG", "headers": {"content-type": "image/png"}}
BOX = (1.0, 2.0, 30.123456, 40.0)


@pytest.fixture(autouse=True)
def page(reader) -> None:
    """A title and a table."""
    cells = (TableCell(0, 0, 1, 1, False, "a", BOX, (1,)), TableCell(0, 1, 1, 1, False, "b", BOX))
    blocks = (Block("title", BOX, "Hello", (0,), 0.98765, 1), Block("table", BOX, "a", (1,), 0.9, table=0))
    reader.pages = (Page(1, 40, 50, blocks=blocks, tables=(Table(1, 2, cells, BOX, 0.81236),)),)


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
        ("image/png, */*;q=0.1", "application/json", "{"),
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
    headers = {**PNG["headers"], "accept": "image/png"}
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

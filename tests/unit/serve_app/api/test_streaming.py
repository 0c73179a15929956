"""Pages one by one, before the document is read to its end."""

import json

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from deployments.document import Page, PageError
from deployments.errors import DeadlineExceeded
from deployments.input_errors import EncryptedPdf
from serve_app.api import streaming
from serve_app.api.streaming import choose_stream

PDF = {"content": b"%PDF-", "headers": {"content-type": "application/pdf", "accept": "application/x-ndjson"}}
SSE = {**PDF, "headers": {**PDF["headers"], "accept": "text/event-stream"}}
ROUTES = ["/ocr", "/structure", "/v1/ocr"]


def split_lines(answer: httpx.Response) -> list[dict]:
    """The events of an NDJSON answer."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert answer.text.endswith("\n")
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.parametrize("route", ROUTES)
async def test_a_document_comes_as_its_pages_in_order(client: httpx.AsyncClient, reader, route: str) -> None:
    """First what it is, then each page with its number, then what became of them."""
    reader.give_pages(3)
    events = split_lines(await client.post(route, **PDF))
    assert [event["event"] for event in events] == ["document", "page", "page", "page", "end"]
    assert events[0]["data"]["pages_total"] == 3
    assert events[0]["data"]["pages"] == "1-3"
    assert [event["id"] for event in events[1:4]] == [1, 2, 3]
    assert events[4]["data"]["pages_processed"] == 3
    assert events[4]["data"]["pages_failed"] == []


@pytest.mark.parametrize("route", ROUTES)
async def test_a_streamed_page_is_the_page_of_the_whole_answer(
    client: httpx.AsyncClient, reader, route: str
) -> None:
    """In the same JSON, so that one reader of pages is enough."""
    whole = (await client.post(route, content=b"%PDF-", headers={"content-type": "application/pdf"})).json()
    events = split_lines(await client.post(route, **PDF))
    assert events[1]["data"] == whole["pages"][0]
    assert events[0]["data"]["options"] == whole["options"]
    assert events[0]["data"]["models"] == whole["models"]


async def test_server_sent_events_carry_names_and_numbers(client: httpx.AsyncClient, reader) -> None:
    """As `EventSource` and its kin read them."""
    reader.give_pages(2)
    answer = await client.post("/ocr", **SSE)
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = [block.splitlines() for block in answer.text.strip().split("\n\n")]
    assert [block[0] for block in blocks] == ["event: document", "event: page", "event: page", "event: end"]
    assert [line for block in blocks for line in block if line.startswith("id: ")] == ["id: 1", "id: 2"]
    page = next(line for line in blocks[1] if line.startswith("data: "))
    assert json.loads(page.removeprefix("data: "))["number"] == 1


async def test_a_broken_page_is_an_event_like_the_others(client: httpx.AsyncClient, reader) -> None:
    """With its error in it, and named at the end."""
    reader.pages = (Page(1, 4, 4), Page(2, error=PageError("malformed_pdf", "Broken.")), Page(3, 4, 4))
    reader.pages_total = 3
    events = split_lines(await client.post("/ocr", **PDF))
    assert events[2]["data"]["error"]["code"] == "malformed_pdf"
    assert events[4]["data"]["pages_failed"] == [2]


async def test_a_caller_goes_on_where_the_stream_broke(client: httpx.AsyncClient, reader) -> None:
    """Behind the page that it names; the pages before are not read again."""
    reader.give_pages(5)
    headers = {**PDF["headers"], "last-event-id": "3"}
    events = split_lines(await client.post("/ocr", content=b"%PDF-", headers=headers))
    assert [event.get("id") for event in events] == [None, 4, 5, None]
    assert events[0]["data"]["pages"] == "4-5"
    assert reader.pages_given == 2


async def test_nothing_is_left_behind_the_last_page(client: httpx.AsyncClient, reader) -> None:
    """An end without pages."""
    headers = {**PDF["headers"], "last-event-id": "1"}
    events = split_lines(await client.post("/ocr", content=b"%PDF-", headers=headers))
    assert [event["event"] for event in events] == ["document", "end"]
    assert events[0]["data"]["pages"] == ""


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 10, "1 2"])
async def test_a_last_event_that_is_no_page_is_refused(client: httpx.AsyncClient, last: str) -> None:
    """Not taken for the beginning: that would send everything twice."""
    headers = {**PDF["headers"], "last-event-id": last}
    answer = await client.post("/ocr", content=b"%PDF-", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")


async def test_what_fails_before_the_first_event_is_an_ordinary_problem(
    client: httpx.AsyncClient, reader
) -> None:
    """With its status, not a stream that begins and breaks."""
    reader.error = EncryptedPdf("The PDF needs a password.")
    answer = await client.post("/ocr", **PDF)
    assert (answer.status_code, answer.json()["code"]) == (422, "encrypted_pdf")


async def test_what_fails_later_is_the_last_event(client: httpx.AsyncClient, reader) -> None:
    """The status is gone by then; the event is the same problem document."""
    reader.error_at_end = DeadlineExceeded("Too late.")
    events = split_lines(await client.post("/ocr", **PDF))
    assert [event["event"] for event in events] == ["document", "page", "error"]
    assert (events[2]["data"]["code"], events[2]["data"]["status"]) == ("deadline_exceeded", 504)
    assert events[2]["data"]["detail"] == "Too late."


async def test_an_unforeseen_failure_tells_nothing_of_itself(client: httpx.AsyncClient, reader) -> None:
    """Its words may quote the document."""
    reader.error_at_end = RuntimeError("secret")
    events = split_lines(await client.post("/ocr", **PDF))
    assert events[2]["data"]["code"] == "internal_error"
    assert "secret" not in json.dumps(events)


async def test_silence_is_filled_with_comments(client: httpx.AsyncClient, reader, monkeypatch) -> None:
    """So that proxies keep the connection while a page takes long."""
    monkeypatch.setattr(streaming, "_HEARTBEAT_S", 0.01)
    reader.hangs_at_end = True
    body = ""
    async with client.stream("POST", "/ocr?timeout_s=0.5", **SSE) as answer:
        async for text in answer.aiter_text():
            body += text
    assert body.count(": ping") > 1
    assert "event: error" in body


async def test_a_caller_who_leaves_stops_the_reading(app: FastAPI, reader) -> None:
    """The rest of the document is read for nobody."""
    reader.hangs_at_end = True
    body = iter([{"type": "http.request", "body": b"%PDF-", "more_body": False}])

    async def receive() -> Message:
        return next(body, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        if b'"event":"page"' in message.get("body", b""):
            raise OSError("gone")

    names = {"x-api-key": "a-key-for-tests", **PDF["headers"]}
    headers = [(name.encode(), value.encode()) for name, value in names.items()]
    scope = {"type": "http", "method": "POST", "path": "/ocr", "query_string": b"", "headers": headers}
    await app({**scope, "asgi": {"version": "3.0", "spec_version": "2.4"}}, receive, send)
    assert reader.cancelled


async def test_a_slow_caller_does_not_have_the_document_read_into_memory(app: FastAPI, reader) -> None:
    """Pages wait for the caller, not the caller's memory for the pages."""
    reader.give_pages(400)
    given_at_first_page = []
    body = iter([{"type": "http.request", "body": b"%PDF-", "more_body": False}])

    async def receive() -> Message:
        return next(body, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        if b'"event":"page"' in message.get("body", b""):
            given_at_first_page.append(reader.pages_given)
            raise OSError("enough")

    names = {"x-api-key": "a-key-for-tests", **PDF["headers"]}
    headers = [(name.encode(), value.encode()) for name, value in names.items()]
    scope = {"type": "http", "method": "POST", "path": "/ocr", "query_string": b"", "headers": headers}
    await app({**scope, "asgi": {"version": "3.0", "spec_version": "2.4"}}, receive, send)
    assert given_at_first_page[0] < 10


@pytest.mark.parametrize(
    ("accept", "stream"),
    [
        ("application/x-ndjson", "ndjson"),
        ("text/event-stream", "sse"),
        ("application/x-ndjson;q=0.9, application/json;q=0.1", "ndjson"),
        ("application/json, application/x-ndjson;q=0.5", None),
        ("*/*", None),
        ("", None),
        ("text/*", None),
        ("text/event-stream;q=0", None),
    ],
)
def test_only_who_wants_a_stream_gets_one(accept: str, stream: str | None) -> None:
    """A caller who takes anything gets the whole answer."""
    assert choose_stream(accept) == stream

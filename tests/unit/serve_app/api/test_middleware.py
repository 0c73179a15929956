"""The layers around every route."""

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.types import Message

from serve_app.api.middleware import ConnectionCloser, CrashBarrier

PNG = {"content": b"\x89PNG", "headers": {"content-type": "image/png"}}


@pytest.mark.parametrize("path", ["/health", "/nothing", "/ocr", "/debug/paddle"])
async def test_every_answer_echoes_the_callers_id(stranger: httpx.AsyncClient, path: str) -> None:
    """Success, 404, 405 and 401 alike; a problem has it in its body too."""
    answer = await stranger.get(path, headers={"x-request-id": "My.id_1-2"})
    assert answer.headers.get_list("x-request-id") == ["My.id_1-2"]
    assert answer.json().get("request_id", "My.id_1-2") == "My.id_1-2"


@pytest.mark.parametrize("asked", [None, "", "two words", "x" * 129, "a\tb", "é", "<script>"])
async def test_an_id_that_is_not_plain_is_replaced(stranger: httpx.AsyncClient, asked: str | None) -> None:
    """Ids go into logs, so only plain ones are taken over; the others become 32 hexadecimal digits."""
    headers = [] if asked is None else [("x-request-id", asked.encode())]
    answer = await stranger.get("/health", headers=headers)
    assert len(answer.headers["x-request-id"]) == 32
    assert int(answer.headers["x-request-id"], 16)


async def test_a_result_carries_its_requests_id(client: httpx.AsyncClient) -> None:
    """So that a stored result leads to the log."""
    answer = await client.post("/ocr", **PNG)
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_a_caller_that_leaves_while_sending_is_no_error(app: FastAPI, caplog) -> None:
    """Nothing is raised and nothing is logged."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"x-api-key", b"a-key-for-tests"), (b"content-type", b"image/png")]
    scope = {"type": "http", "method": "POST", "path": "/ocr", "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    assert sent[0]["status"] == 499
    assert not caplog.records


async def test_an_error_after_the_answer_has_begun_is_raised() -> None:
    """There is no way to take an answer back; the server must close the connection."""

    async def break_off(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("half way")

    async def ignore(message: Message) -> None:
        return None

    with pytest.raises(RuntimeError, match="half way"):
        await CrashBarrier(break_off)({"type": "http"}, None, ignore)


async def test_a_caller_that_leaves_while_being_answered_is_no_error() -> None:
    """Then nothing more is sent."""
    sent: list[Message] = []

    async def break_off(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ClientDisconnect

    async def send(message: Message) -> None:
        sent.append(message)

    await CrashBarrier(break_off)({"type": "http"}, None, send)
    assert len(sent) == 1


@pytest.mark.parametrize(("path", "status"), [("/health", 200), ("/nothing", 404)])
async def test_behind_a_proxy_every_answer_ends_its_connection(app: FastAPI, path: str, status: int) -> None:
    """Answers and errors alike, and once."""
    transport = httpx.ASGITransport(ConnectionCloser(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers.get_list("connection") == ["close"]

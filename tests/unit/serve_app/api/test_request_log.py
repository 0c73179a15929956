"""Headers that every answer has, and the audit log."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serve_app.access.record import find_record
from serve_app.api.request_log import RequestLog, start_audit_log

PNG = {"content": b"\x89PNG", "headers": {"content-type": "image/png"}}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """The audit log of this test."""
    path = tmp_path / "audit.log"
    start_audit_log(str(path))
    yield path
    start_audit_log("off")


def read_lines(log: Path) -> list[dict]:
    return [json.loads(line) for line in log.read_text().splitlines()]


async def test_a_request_is_one_line(client: httpx.AsyncClient, log: Path) -> None:
    """Who did what, with what outcome; the same id as in the answer."""
    answer = await client.post("/v1/ocr", **PNG)
    (line,) = read_lines(log)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["key_id"].startswith("env-")
    assert (line["method"], line["route"], line["status"]) == ("POST", "/ocr", 200)
    assert (line["pages"], line["pixels"]) == (1, 800)
    assert line["ms"] >= 0
    assert line["time"].endswith("+00:00")


async def test_whatever_comes_is_logged(stranger: httpx.AsyncClient, log: Path) -> None:
    """What is refused too; of an unknown path or method nothing is repeated."""
    await stranger.post("/ocr", **PNG)
    await stranger.get("/secret-path%0A?token=secret")
    await stranger.request("HUNTER2", "/health")
    await stranger.options("/ocr", headers={"Origin": "x", "Access-Control-Request-Method": "POST"})
    lines = read_lines(log)
    assert [line["status"] for line in lines] == [401, 404, 405, 400]
    assert [line["key_id"] for line in lines] == [None] * 4
    assert lines[1]["route"] is None
    assert lines[2]["method"] == "other"
    assert "secret" not in log.read_text()
    assert "HUNTER2" not in log.read_text()


async def test_a_crash_is_logged_without_what_was_read(
    client: httpx.AsyncClient, reader, log: Path, caplog
) -> None:
    """Neither key nor text, in whatever log."""
    reader.error = RuntimeError("the text of the document")
    with caplog.at_level(logging.DEBUG):
        answer = await client.post("/ocr", content=b"the text of the document", headers=PNG["headers"])
    assert answer.status_code == 500
    assert read_lines(log)[0]["status"] == 500
    for written in (log.read_text(), caplog.text, answer.text):
        assert "text of the document" not in written
        assert client.headers["x-api-key"] not in written


async def test_the_log_can_be_off(client: httpx.AsyncClient, capsys) -> None:
    """Or go to standard error."""
    start_audit_log("off")
    await client.post("/ocr", **PNG)
    assert capsys.readouterr().err == ""
    start_audit_log("stderr")
    await client.post("/ocr", **PNG)
    assert json.loads(capsys.readouterr().err)["status"] == 200
    start_audit_log("off")


@pytest.mark.parametrize("path", ["/health", "/nothing", "/ocr", "/debug/paddle", "/openapi.json"])
async def test_every_answer_is_guarded(stranger: httpx.AsyncClient, path: str) -> None:
    """Results and errors alike: not guessed at, not kept, not framed, not run."""
    headers = (await stranger.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none'")


async def test_a_failure_to_settle_is_not_the_callers(caplog) -> None:
    """The answer was sent; the log says what went wrong, and the line is written."""

    def fail(_: object) -> None:
        raise RuntimeError("hunter2")

    async def app(scope, receive, send) -> None:
        find_record(scope).at_end.append(fail)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    await RequestLog(app)(scope, None, None)
    assert "RuntimeError" in caplog.text
    assert "hunter2" not in caplog.text

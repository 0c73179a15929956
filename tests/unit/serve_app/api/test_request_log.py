"""Headers that every answer has, and the audit log."""

import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from deployments.metric_table import METRICS
from serve_app.access.keys import make_key
from serve_app.access.record import find_record
from serve_app.api.app import create_app
from serve_app.api.request_log import RequestLog, read_slow_limit, start_audit_log
from serve_app.auth import AuthSettings

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


@dataclass
class KeptMeasurements:
    """A recorder that remembers; see `deployments.metric_table.Recorder`."""

    counters: Counter[tuple[str, ...]] = field(default_factory=Counter)
    gauges: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, amount: float = 1.0, **labels: str) -> None:
        assert labels.keys() == set(METRICS[name].labels)
        self.counters[(name, *labels.values())] += int(amount)

    def set(self, name: str, value: float, **labels: str) -> None:
        self.gauges[name] = value

    def observe(self, name: str, value: float, **labels: str) -> None:
        self.add(name, 1.0, **labels)


async def test_requests_and_errors_are_counted(reader, limits) -> None:
    """By their route, never by the path that was sent, and with the code of a problem."""
    recorder = KeptMeasurements()
    app = create_app(reader, limits, AuthSettings("k"), "1", recorder=recorder)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        await client.post("/v1/ocr", **{**PNG, "headers": {**PNG["headers"], "x-api-key": "k"}})
        await client.post("/ocr", **PNG)
        await client.get("/some-path")
    assert recorder.counters[("ocr_requests", "/ocr", "POST", "200")] == 1
    assert recorder.counters[("ocr_requests", "/ocr", "POST", "401")] == 1
    assert recorder.counters[("ocr_errors", "/ocr", "unauthorized")] == 1
    assert recorder.counters[("ocr_requests", "unmatched", "GET", "404")] == 1
    assert recorder.counters[("ocr_errors", "unmatched", "not_found")] == 1
    assert recorder.counters[("ocr_request_seconds", "/ocr")] == 2
    assert recorder.gauges["ocr_requests_in_flight"] == 0


async def test_a_slow_request_says_where_its_time_went(reader, limits, log: Path) -> None:
    """A second line, with the milliseconds of each stage and no text."""
    app = create_app(reader, limits, AuthSettings("k"), "1", slow_request_s=1e-9)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        answer = await client.post("/ocr", **{**PNG, "headers": {**PNG["headers"], "x-api-key": "k"}})
    request, slow = read_lines(log)
    assert (request["event"], slow["event"]) == ("request", "slow_request")
    assert slow["request_id"] == answer.headers["x-request-id"]
    assert slow["stage_ms"] == {"detection": 1.5}
    assert "Hello" not in log.read_text()


@pytest.mark.parametrize("text", ["0", "-1", "soon", "nan"])
def test_a_limit_that_is_none_is_refused(text: str) -> None:
    """A misspelt number must not switch the line off."""
    with pytest.raises(ValueError, match="SLOW_REQUEST_S"):
        read_slow_limit({"SLOW_REQUEST_S": text})
    assert read_slow_limit({"SLOW_REQUEST_S": "2.5"}) == 2.5
    assert read_slow_limit({}) == 10.0


async def test_metrics_need_their_scope(reader, limits) -> None:
    """The page is the cluster's, as text for Prometheus; `include` is one of three words."""

    async def read_metrics(include: str) -> bytes:
        return f"included {include}\n".encode()

    record, key = make_key("nobody", scopes=frozenset({"ocr"}))
    _, reading_key = second = make_key("prometheus", scopes=frozenset({"metrics"}))
    records = [item.model_dump(mode="json") for item in (record, second[0])]
    keys = json.dumps({"keys": records})
    app = create_app(reader, limits, AuthSettings("k", api_keys=keys), "1", read_metrics=read_metrics)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/metrics", headers={"x-api-key": key})).status_code == 403
        answer = await client.get("/v1/metrics?include=own", headers={"x-api-key": reading_key})
        assert (answer.status_code, answer.text) == (200, "included own\n")
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        wrong = await client.get("/metrics?include=some", headers={"x-api-key": reading_key})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_option")

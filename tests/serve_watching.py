"""What a running cluster says of itself - metrics, lines, spans - for tests that wait for it."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
from prometheus_client.parser import text_string_to_metric_families

from otlp_receiver import ReceivedSpan

T = TypeVar("T")


def wait_for(look: Callable[[], T], wanted: Callable[[T], bool], timeout_s: float = 60) -> T:
    """What is seen as soon as it is as wanted; bounded."""
    deadline = time.monotonic() + timeout_s
    while not wanted(seen := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"last seen: {seen}")
        time.sleep(0.2)
    return seen


def read_metrics(http: httpx.Client, include: str = "own") -> dict[str, list[Any]]:
    """The samples of each series on `/metrics`, by name."""
    answer = http.get("/metrics", params={"include": include})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples: dict[str, list[Any]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append(sample)
    return samples


def count_requests(http: httpx.Client) -> float:
    """All requests for text that the cluster has counted."""
    samples = read_metrics(http).get("ocr_requests_total", [])
    return sum(sample.value for sample in samples if sample.labels["route"] == "/ocr")


def counted_by(http: httpx.Client) -> set[str]:
    """The replicas of the ingress that have counted requests for text."""
    samples = read_metrics(http).get("ocr_requests_total", [])
    return {sample.labels["replica"] for sample in samples if sample.labels["route"] == "/ocr"}


def read_lines(logs: Path, request_id: str) -> list[dict[str, Any]]:
    """The lines of all processes about one request."""
    found = []
    for path in logs.glob("worker-*.err"):
        for line in path.read_text(errors="replace").splitlines():
            if request_id in line and line.startswith("{"):
                found.append(json.loads(line))
    return found


def check_tree(spans: list[ReceivedSpan]) -> None:
    """Every span has its parent in the trace, the caller's own aside, and batches link what they hold."""
    by_id = {span.span_id: span for span in spans}
    names = {span.name for span in spans}
    assert names >= {"page", "detection", "recognition", "detection.submit", "recognition.submit"}
    for span in spans:
        assert span.parent_id in by_id or span.name == "POST /ocr", span
        if span.name.endswith(".batch"):
            assert span.parent_id in span.links
            assert span.attributes["items"] >= 1
            assert span.attributes["network_ms"] >= 0

"""Replicas that die while they are needed."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from ray import serve

from graphs import start_graph
from paths import FIXTURES
from replicas import pids_of

pytestmark = pytest.mark.serve

# Slow enough that a kill hits requests that are being read, fast enough for many of them.
SLOW = {"replicas": {"num_replicas": 2}, "run": {"fake_delay_ms": 20}}


@pytest.fixture(scope="module", autouse=True)
def app(cluster: object) -> Iterator[None]:
    """The graph with two slow recognisers."""
    start_graph(recognition=SLOW)
    yield
    serve.delete("ocr")


def test_a_killed_recogniser_loses_no_request_and_spoils_no_text(http: httpx.Client) -> None:
    """Kill -9 during load: every answer is right or an honest 503, and the replica is replaced."""
    pages = [path.read_bytes() for path in sorted(FIXTURES.glob("*.png"))][:6]
    alone = [http.post("/ocr", files={"file": page}).json()["text"] for page in pages]
    assert len(set(alone)) > 1
    before = pids_of("Recognition")
    assert len(before) == 2
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(http.post, "/ocr", files={"file": pages[i % len(pages)]}) for i in range(48)]
        answers[4].result()
        os.kill(before[0], signal.SIGKILL)
        results = [answer.result() for answer in answers]
    for index, result in enumerate(results):
        if result.status_code == 503:
            assert int(result.headers["retry-after"]) > 0
            assert result.json()["code"] in ("stage_unavailable", "busy")
        else:
            assert result.status_code == 200, result.text
            assert result.json()["text"] == alone[index % len(pages)]
    assert sum(result.status_code == 200 for result in results) >= 40
    wait_for_replicas("Recognition", 2, other_than=before[0])


def wait_for_replicas(deployment: str, count: int, other_than: int) -> None:
    """Poll, bounded, until Serve has replaced the dead one."""
    import time

    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        pids = pids_of(deployment)
        if len(pids) == count and other_than not in pids:
            return
        time.sleep(0.5)
    raise TimeoutError(f"{deployment} was not replaced")

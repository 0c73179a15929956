"""Replicas that grow over their watermark while they are needed."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from ray import serve

from graphs import start_graph
from paths import FIXTURES
from replicas import pids_of

pytestmark = pytest.mark.serve

LEAKING = {"run": {"fake_delay_ms": 20, "fake_leak_mib": 4}, "memory": {"max_private_mib": 500}}
# The only detector and one of two recognisers: some callers must wait for a successor, others need not.
STAGES = {"detection": LEAKING, "recognition": {"replicas": {"num_replicas": 2}, **LEAKING}}


@pytest.fixture(scope="module", autouse=True)
def app(cluster: object) -> Iterator[None]:
    """The graph with a detector and recognisers that keep memory at each run."""
    start_graph(**STAGES)
    yield
    serve.delete("ocr")


@pytest.mark.parametrize("deployment", ["Recognition", "Detection"])
def test_a_replica_over_its_watermark_is_replaced_and_every_request_is_answered(
    http: httpx.Client, deployment: str
) -> None:
    """Eight callers without a pause: the process changes, and each of them gets the right text each time."""
    pages = [path.read_bytes() for path in sorted(FIXTURES.glob("*.png"))][:4]
    alone = [http.post("/ocr", files={"file": page}).json()["text"] for page in pages]
    before = set(pids_of(deployment))
    replaced = threading.Event()

    def call_on_and_on(caller: int) -> list[tuple[int, str]]:
        answers = []
        while not replaced.is_set():
            number = (caller + len(answers)) % len(pages)
            answer = http.post("/ocr", files={"file": pages[number]})
            right = answer.status_code == 200 and answer.json()["text"] == alone[number]
            answers.append((answer.status_code, "right" if right else answer.text))
        return answers

    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(call_on_and_on, caller) for caller in range(8)]
        try:
            wait_for_a_successor(deployment, before)
        finally:
            replaced.set()
        answers = [answer for call in calls for answer in call.result()]
    assert set(answers) == {(200, "right")}


def wait_for_a_successor(deployment: str, before: set[int]) -> None:
    """Poll, bounded, until one of the processes has gone and as many as before are there."""
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        pids = set(pids_of(deployment))
        if len(pids) == len(before) and pids != before:
            return
        time.sleep(0.5)
    raise TimeoutError(f"no replica of {deployment} was replaced")

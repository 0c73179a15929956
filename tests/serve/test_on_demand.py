"""Stages that end when nobody asks, and start with the next request that needs them."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from PIL import Image
from ray import serve

from fixtures.formats import make_pdf
from graphs import start_graph
from paths import FIXTURES
from replicas import pids_of
from serve_watching import wait_for

pytestmark = pytest.mark.serve

STAGES = ("renderer", "layout", "table", "extraction")
SOON = {"replicas": {"scale_to_zero_after_s": 1.0}}
PAGE = (FIXTURES / "letter.png").read_bytes()


@pytest.fixture(scope="module", autouse=True)
def app(cluster: object) -> Iterator[None]:
    """The CPU profile's stages, which end sooner than anybody would want."""
    start_graph("layout", "table", "extraction", **dict.fromkeys(STAGES, SOON))
    yield
    serve.delete("ocr")


def count_running() -> dict[str, int]:
    """Replicas of each stage that starts on demand."""
    return {stage: len(pids_of(stage.capitalize())) for stage in STAGES}


def wait_until_ended() -> None:
    """Serve looks back over half a minute of calls before it takes a replica away."""
    wait_for(count_running, lambda running: not any(running.values()), 150)


def post(http: httpx.Client, path: str, data: bytes = PAGE) -> httpx.Response:
    """The answer to a file."""
    return http.post(path, files={"file": data})


def test_text_is_read_without_them_and_the_service_is_ready(http: httpx.Client) -> None:
    """Nobody who asks how the service is starts what nobody needs."""
    wait_until_ended()
    assert post(http, "/ocr").status_code == 200
    ready = http.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    states = ready.json()["stages"]
    assert {states[name] for name in ("renderer", "layout", "table")} == {"on demand"}
    assert states["detection"] == states["recognition"] == "ok"
    health = http.get("/health").json()
    assert health["ready"] is True
    assert set(health["on_demand"]) == set(STAGES)
    assert health["stages"].keys().isdisjoint(STAGES)
    assert not any(count_running().values())


def test_the_first_callers_wait_for_them_and_nobody_fails(http: httpx.Client) -> None:
    """Eight at once start one replica of each stage that they need."""
    wait_until_ended()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(http, "/structure"), range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["markdown"] for answer in answers}) == 1
    assert {model["stage"] for model in answers[0].json()["models"]} >= {"layout", "table"}
    running = count_running()
    assert (running["layout"], running["table"], running["extraction"]) == (1, 1, 0)


def test_they_end_when_nobody_asks_and_start_again(http: httpx.Client) -> None:
    """A PDF needs the renderer, fields need the extraction: both answer, idle or not."""
    letter = Image.open(FIXTURES / "letter.png").convert("RGB")
    pdf = make_pdf([letter, letter])
    first = [post(http, "/ocr", pdf), post(http, "/extraction?document_type=receipt")]
    assert [answer.status_code for answer in first] == [200, 200]
    running = count_running()
    assert (running["renderer"], running["extraction"]) == (1, 1)
    wait_until_ended()
    again = [post(http, "/ocr", pdf), post(http, "/extraction?document_type=receipt")]
    assert [answer.status_code for answer in again] == [200, 200]
    assert again[0].json()["text"] == first[0].json()["text"]


def test_one_that_is_killed_is_replaced_for_the_next_caller(http: httpx.Client) -> None:
    assert post(http, "/structure").status_code == 200
    (pid,) = pids_of("Layout")
    os.kill(pid, signal.SIGKILL)
    assert post(http, "/structure").status_code == 200
    assert pid not in pids_of("Layout")

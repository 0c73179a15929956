"""Jobs on the real graph, with a recogniser whose runs are counted."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from ray import serve

from graphs import start_graph
from paths import FIXTURES

pytestmark = pytest.mark.serve

PAGE = (FIXTURES / "letter.png").read_bytes()
PAGES = 40
# A page takes this one recogniser some seconds, in runs of a few lines.
SLOW = {"replicas": {"num_replicas": 1}, "run": {"fake_delay_ms": 100}}


@pytest.fixture(scope="module", autouse=True)
def app(cluster: object) -> Iterator[None]:
    """The graph with jobs, and a slow recogniser."""
    start_graph("jobs", recognition=SLOW)
    yield
    serve.delete("ocr")


def count_runs() -> int:
    """Runs of the recogniser's network until now; what the metric of its seconds counts."""
    recogniser = serve.get_deployment_handle("Recognition", "ocr")
    return int(recogniser.describe.remote().result(timeout_s=30).usage["runs"])


def wait_for_pages(http: httpx.Client, path: str, pages: int) -> None:
    """Until the job has read so many; bounded."""
    deadline = time.monotonic() + 120
    while http.get(path, params={"wait": 1}).json()["pages_processed"] < pages:
        assert time.monotonic() < deadline


def wait_for_end(http: httpx.Client, path: str) -> dict[str, Any]:
    """The job once it has ended; bounded. The ingress may be on its way too."""
    deadline = time.monotonic() + 120
    while True:
        assert time.monotonic() < deadline
        answer = http.get(path, params={"wait": 1})
        if answer.is_success and answer.json().get("ended"):
            job: dict[str, Any] = answer.json()
            return job


def count_page_runs(http: httpx.Client) -> int:
    """Runs that one page costs."""
    before = count_runs()
    assert http.post("/ocr", files={"file": PAGE}).status_code == 200
    return count_runs() - before


def test_a_cancelled_job_costs_no_more_network_time_than_a_page(http: httpx.Client) -> None:
    """What is in the network ends; of the pages that wait for it none gets there."""
    runs_of_a_page = count_page_runs(http)
    files = [("file", (f"{number}.png", PAGE)) for number in range(PAGES)]
    path = http.post("/v1/jobs", files=files).headers["location"]
    wait_for_pages(http, path, 2)

    at_cancel = count_runs()
    assert http.post(f"{path}/cancel").status_code == 200
    assert http.get(path).json()["status"] == "cancelled"
    # Whoever waits now is served after all that is left of the job.
    assert http.post("/ocr", files={"file": PAGE}).status_code == 200
    after = count_runs()

    assert after - at_cancel <= 2 * runs_of_a_page, "one page of the job, and the one of the caller"
    assert http.post("/ocr", files={"file": PAGE}).status_code == 200
    assert count_runs() - after == runs_of_a_page, "nothing of the job is read meanwhile"
    job = http.get(path).json()
    assert job["pages_processed"] < PAGES


def test_a_job_goes_on_when_a_rollout_replaces_what_reads_it(http: httpx.Client) -> None:
    """The replica is asked to end in the middle of files; the next one reads what it has left."""
    runs_of_a_page = count_page_runs(http)
    files = [("file", (f"rollout-{number}.png", PAGE)) for number in range(8)]
    path = http.post("/v1/jobs", files=files).headers["location"]
    wait_for_pages(http, path, 2)
    before = count_runs()
    read = http.get(path).json()["pages_processed"]

    start_graph("jobs", recognition=SLOW, jobs={"files_at_once": 3})

    job = wait_for_end(http, path)
    assert (job["status"], job["pages_processed"]) == ("done", 8)
    # Four files were read at a time: what was begun and not ended is begun anew.
    assert count_runs() - before <= (8 - read + 4) * runs_of_a_page

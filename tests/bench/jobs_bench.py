"""What people notice of a job: the time of a page over HTTP, alone and while a job of many pages runs.

Two rounds, so that a machine that becomes slower or faster meanwhile is seen. The aim is a p95 beside the
job of less than 1.5 times the one without.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence

import httpx

from paths import FIXTURES
from service import Service, running_service

CALLERS_PAUSE_S = 0.5


def main() -> int:
    """Start a service, measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1000, help="pages of each round's job")
    parser.add_argument("--requests", type=int, default=60, help="requests of people in each measurement")
    parser.add_argument("--engine", default=None, help="such as fake; the profile's own where left out")
    arguments = parser.parse_args()
    engine = ["--engine", arguments.engine] if arguments.engine else []
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service(
            "--profile", "cpu", *engine, start_timeout_s=600, environment={"OCR_DATA_DIR": folder}
        ) as service,
    ):
        page = (FIXTURES / "letter.png").read_bytes()
        measure(service, page, 5)
        print("| round | alone p50 | alone p95 | beside p50 | beside p95 | p95 ratio | pages/s of the job |")
        print("|---|---|---|---|---|---|---|")
        for number in (1, 2):
            alone = measure(service, page, arguments.requests)
            with Job(service, page, arguments.pages) as job:
                beside = measure(service, page, arguments.requests)
                rate = job.rate()
            ratio = p95(beside) / p95(alone)
            cells = [*map(figures, (alone, beside)), f"{ratio:.2f}", f"{rate:.2f}"]
            print(f"| {number} | {' | '.join(cells)} |", flush=True)
    return 0


class Job:
    """A job that runs while something else is measured, and is deleted then."""

    def __init__(self, service: Service, page: bytes, pages: int) -> None:
        self._service = service
        files = [("file", (f"{number}.png", page)) for number in range(pages)]
        with service.client(600) as client:
            answer = client.post("/v1/jobs", files=files)
            answer.raise_for_status()
        self._path = answer.headers["location"]
        self._start_s = time.monotonic()

    def __enter__(self) -> "Job":
        """Wait until it has begun."""
        while self._count() == 0:
            time.sleep(0.2)
        self._start_s, self._before = time.monotonic(), self._count()
        return self

    def __exit__(self, *_: object) -> None:
        """Delete it, and wait until nothing of it is read any more."""
        with self._service.client() as client:
            client.delete(self._path)
        time.sleep(3)

    def rate(self) -> float:
        """Pages a second since it began. Raises when it ended too early to be beside anything."""
        with self._service.client() as client:
            if client.get(self._path).json().get("ended"):
                raise SystemExit("The job ended before the requests did: give it more --pages.")
        return (self._count() - self._before) / (time.monotonic() - self._start_s)

    def _count(self) -> int:
        with self._service.client() as client:
            return int(client.get(self._path).json()["pages_processed"])


def measure(service: Service, page: bytes, requests: int) -> list[float]:
    """Seconds of so many requests of two people, who look at an answer before they ask again."""
    times: list[float] = []

    def ask() -> None:
        with httpx.Client(
            base_url=service.url, headers={"x-api-key": service.api_key}, timeout=300
        ) as client:
            for _ in range(max(1, requests // 2)):
                start = time.monotonic()
                client.post("/ocr", files={"file": page}).raise_for_status()
                times.append(time.monotonic() - start)
                time.sleep(CALLERS_PAUSE_S)

    callers = [threading.Thread(target=ask) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return times


def p95(times: Sequence[float]) -> float:
    """The time that one request in twenty exceeds."""
    return sorted(times)[max(0, round(0.95 * len(times)) - 1)]


def figures(times: Sequence[float]) -> str:
    """Median and p95 in milliseconds, as cells of the table."""
    return f"{statistics.median(times) * 1e3:.0f} | {p95(times) * 1e3:.0f}"


if __name__ == "__main__":
    raise SystemExit(main())

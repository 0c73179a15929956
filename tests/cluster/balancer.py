"""What stands before the workers on AWS (terraform/modules/alb), and callers who never stop calling."""

import itertools
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from paths import FIXTURES

# Of the target group: a check every ten seconds, two of a kind turn a target's state.
CHECK_INTERVAL_S = 10.0
CHECK_TIMEOUT_S = 5.0
THRESHOLD = 2


class Balancer:
    """Knows which targets are healthy; a target that nobody has checked yet is."""

    def __init__(self, targets: Mapping[str, str]) -> None:
        self._urls = dict(targets)
        self._wrong = dict.fromkeys(targets, 0)
        self._is_healthy = dict.fromkeys(targets, True)
        self._turn = itertools.count()

    def check(self) -> None:
        """Ask every target once."""
        for name, url in self._urls.items():
            passes = passes_check(url)
            self._wrong[name] = 0 if passes == self._is_healthy[name] else self._wrong[name] + 1
            if self._wrong[name] >= THRESHOLD:
                self._is_healthy[name], self._wrong[name] = passes, 0

    def healthy(self) -> list[str]:
        """The names of the targets that get requests."""
        return [name for name in self._urls if self._is_healthy[name]]

    def choose(self) -> tuple[str, str]:
        """Name and address of the next target; of all when none is healthy, as AWS does."""
        names = self.healthy() or list(self._urls)
        name = names[next(self._turn) % len(names)]
        return name, self._urls[name]


def passes_check(url: str) -> bool:
    """Whether a target answers as the balancer wants to hear it."""
    try:
        return httpx.get(f"{url}/-/healthz", timeout=CHECK_TIMEOUT_S).status_code == 200
    except httpx.TransportError:
        return False


@dataclass(frozen=True)
class Call:
    """One request: who got it, and its status, or the name of the error in its place."""

    target: str
    outcome: int | str


@dataclass
class Traffic:
    """Calls so far; `calls` only grows."""

    balancer: Balancer
    calls: list[Call] = field(default_factory=list)

    def failed(self) -> list[Call]:
        """Everything but 200."""
        return [call for call in self.calls if call.outcome != 200]

    def wait_for(self, count: int, timeout_s: float = 120) -> None:
        """Return once so many more calls have been answered with 200."""
        start, end = len(self.calls), time.monotonic() + timeout_s
        while sum(call.outcome == 200 for call in self.calls[start:]) < count:
            assert time.monotonic() < end, f"of {count} calls too few were answered: {self.calls[-10:]}"
            time.sleep(0.1)


@contextmanager
def running_traffic(targets: Mapping[str, str], api_key: str, callers: int = 2) -> Iterator[Traffic]:
    """Callers through a balancer, each with one request at a time, for as long as the block lasts."""
    traffic, stop = Traffic(Balancer(targets)), threading.Event()
    threads = [threading.Thread(target=_keep_calling, args=(traffic, api_key, stop)) for _ in range(callers)]
    threads.append(threading.Thread(target=_keep_checking, args=(traffic.balancer, stop)))
    for thread in threads:
        thread.start()
    try:
        yield traffic
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _keep_checking(balancer: Balancer, stop: threading.Event) -> None:
    while not stop.wait(CHECK_INTERVAL_S):
        balancer.check()


def _keep_calling(traffic: Traffic, api_key: str, stop: threading.Event) -> None:
    page = (FIXTURES / "letter.png").read_bytes()
    headers = {"x-api-key": api_key, "content-type": "image/png"}
    with httpx.Client(headers=headers, timeout=60) as client:
        while not stop.wait(0.2):
            name, url = traffic.balancer.choose()
            try:
                outcome: int | str = client.post(f"{url}/ocr", content=page).status_code
            except httpx.TransportError as error:
                outcome = type(error).__name__
            traffic.calls.append(Call(name, outcome))

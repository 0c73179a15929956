"""Hostile files and requests to a service, with good requests between them, and what came of it."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from serve_app.error_codes import ERROR_CODES

from hostile.corpus import HostileFile
from paths import FIXTURES

# Statuses above 499 that the API says may come.
DOCUMENTED_SERVER_ERRORS = {"busy", "stage_unavailable", "deadline_exceeded"}
GOOD_PAGES = ("one_line.png", "receipt.png", "form.jpg")
_GOOD_EVERY = 10


@dataclass
class Findings:
    """What came back: statuses and codes, the slowest files, and all that must not be."""

    answers: Counter[str] = field(default_factory=Counter)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    good: int = 0
    sent: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, name: str, answer: str, seconds: float, fault: str | None) -> None:
        """Count an answer."""
        with self._lock:
            self.sent += 1
            self.answers[answer] += 1
            self.slowest = sorted([*self.slowest, (round(seconds, 2), name)], reverse=True)[:10]
            if fault is not None:
                self.faults.append(f"{name}: {fault}")


class Attack:
    """Sends files from several threads; every tenth time each sends a good page, whose text it knows."""

    def __init__(self, client: httpx.Client, routes: tuple[str, ...] = ("/ocr",)) -> None:
        self._client = client
        self._routes = routes
        self.findings = Findings()
        self._good = [((FIXTURES / name).read_bytes(), "") for name in GOOD_PAGES]
        self._good = [(data, self._read(data)) for data, _ in self._good]

    def send_all(self, files: Iterable[Callable[[], HostileFile]], threads: int = 4) -> None:
        """Send files, which are made by calling, from so many threads."""
        numbered, lock = enumerate(files), threading.Lock()

        def work() -> None:
            while True:
                with lock:
                    item = next(numbered, None)
                if item is None:
                    return
                self._send_numbered(item)

        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(work) for _ in range(threads)]:
                done.result()

    def send_good(self, number: int) -> None:
        """Send a good page; another answer than before the attack is a fault."""
        data, text = self._good[number % len(self._good)]
        with self.findings._lock:
            self.findings.good += 1
        try:
            found = self._read(data)
        except AssertionError as error:
            found = str(error)
        if found != text:
            self.findings.faults.append(f"good page {number}: {found[:200]!r}")

    def _send_numbered(self, numbered: tuple[int, Callable[[], HostileFile]]) -> None:
        number, make = numbered
        self.send(make(), self._routes[number % len(self._routes)])
        if number % _GOOD_EVERY == 0:
            self.send_good(number // _GOOD_EVERY)

    def send(self, file: HostileFile, route: str = "/ocr") -> None:
        """Send a file and judge the answer."""
        start_s = time.monotonic()
        try:
            answer = self._client.post(route, files={"file": (file.file_name, file.data)})
        except httpx.HTTPError as error:
            self.findings.note(file.name, type(error).__name__, time.monotonic() - start_s, repr(error))
            return
        code = describe(answer)
        self.findings.note(file.name, code, time.monotonic() - start_s, judge(answer))

    def _read(self, data: bytes) -> str:
        answer = self._client.post("/ocr", files={"file": data})
        # A service that says it is busy is asked again, as its callers do.
        for _ in range(20):
            if answer.status_code != 503:
                break
            time.sleep(float(answer.headers["Retry-After"]))
            answer = self._client.post("/ocr", files={"file": data})
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        text: str = answer.json()["text"]
        return text


def describe(answer: httpx.Response) -> str:
    """Status and code; of a success with pages that failed, their codes."""
    try:
        body = answer.json()
    except ValueError:
        return f"{answer.status_code} no JSON"
    if answer.status_code == 200:
        failed = sorted({page["error"]["code"] for page in body["pages"] if page.get("error")})
        return " ".join(["200", *failed])
    return f"{answer.status_code} {body.get('code')}"


def judge(answer: httpx.Response) -> str | None:
    """What is wrong with an answer to a hostile request; None where it is as the API says."""
    shown = f"{answer.status_code} {answer.text[:300]}"
    if answer.status_code == 200:
        errors = [page["error"]["code"] for page in answer.json()["pages"] if page.get("error")]
        return shown if any(ERROR_CODES[code].status == 500 for code in errors) else None
    if answer.headers.get("content-type") != "application/problem+json":
        return f"no problem document: {shown}"
    problem = json.loads(answer.content)
    kind = ERROR_CODES.get(problem.get("code"))
    if kind is None or kind.status != answer.status_code:
        return f"unknown code: {shown}"
    if answer.status_code >= 500 and problem["code"] not in DOCUMENTED_SERVER_ERRORS:
        return f"server error: {shown}"
    if "/" in problem["detail"].replace("image/*", "").replace("application/", "").replace("form-data", ""):
        return f"a path in the detail: {shown}"
    return None

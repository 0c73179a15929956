"""A job of two hundred files in the service as a user starts it, while parts of it, or all of it, are killed.

JOBS_FAULT_ROUNDS kills in all (3; `make fault-jobs ROUNDS=20` for more), three in each job, chosen by
JOBS_FAULT_SEED: the replica that reads jobs, the ingress, or every process of the service at once, all of
them with kill -9.
"""

import contextlib
import io
import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pikepdf
import psutil
import pytest
import yaml

from paths import FIXTURES, ROOT
from service import Service, running_service

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3600)]

ROUNDS = int(os.environ.get("JOBS_FAULT_ROUNDS", "3"))
SEED = int(os.environ.get("JOBS_FAULT_SEED", "1"))
KILLS_A_JOB = 3
PAGES_AT_ONCE = 4
KINDS = ("JobRunner", "Ingress", "everything")
START_S, JOB_S = 600.0, 1200.0
BROKEN = {
    "cut.png": ("malformed_image", (FIXTURES / "letter.png").read_bytes()[:2000]),
    "cut.pdf": ("malformed_pdf", b"%PDF-1.7\nnothing more"),
    "words.txt": ("unsupported_media_type", b"no document at all"),
    "empty.png": ("empty_input", b""),
    "zeros.bin": ("unsupported_media_type", bytes(1000)),
}


class Runs:
    """One life of the service after the other over the same folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._life = ExitStack()
        self.service: Service | None = None
        profile = yaml.safe_load((ROOT / "configs/profiles/cpu.yaml").read_text())
        # Slow enough that a kill hits pages that are being read.
        profile["recognition"]["run"]["fake_delay_ms"] = 20
        self._profile = folder / "profile.yaml"
        self._profile.write_text(yaml.safe_dump(profile))

    def start(self) -> None:
        """Start the service; the key is the same each time."""
        self.service = self._life.enter_context(
            running_service(
                "--profile",
                str(self._profile),
                "--engine",
                "fake",
                start_timeout_s=START_S,
                environment={"OCR_DATA_DIR": str(self._folder / "data")},
            )
        )

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self._life.close()

    def kill(self, kind: str) -> None:
        """Kill -9; what is killed as a whole is started again."""
        assert self.service is not None
        tree = [self.service.process, *self.service.process.children(recursive=True)]
        if kind == "everything":
            for process in tree:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(tree, timeout=30)
            self.stop()
            self.start()
            return
        for process in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                if f"ServeReplica:ocr:{kind}" in " ".join(process.cmdline()):
                    process.kill()

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request, again while a part of the service is being replaced."""
        assert self.service is not None
        deadline = time.monotonic() + 300
        while True:
            with contextlib.suppress(httpx.TransportError), self.service.client(120) as client:
                answer = client.request(method, path, **more)
                if answer.status_code not in (500, 502, 503, 504):
                    return answer
            assert time.monotonic() < deadline, f"{method} {path} is not answered"
            time.sleep(0.5)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    runs = Runs(tmp_path_factory.mktemp("service"))
    runs.start()
    yield runs
    runs.stop()


def make_files() -> tuple[list[tuple[str, bytes]], list[int]]:
    """Two hundred files, five of them broken and one encrypted, and how many pages each has to give."""
    page = (FIXTURES / "receipt.png").read_bytes() if (FIXTURES / "receipt.png").is_file() else None
    page = page or min((path.read_bytes() for path in FIXTURES.glob("*.png")), key=len)
    files = [(name, data) for name, (_, data) in BROKEN.items()]
    files.append(("secret.pdf", make_pdf(1, "secret")))
    pages = [0] * len(files)
    for place in range(200 - len(files)):
        count = 3 if place % 10 == 0 else 1
        files.append((f"{place}.pdf", make_pdf(count)) if count > 1 else (f"{place}.png", page))
        pages.append(count)
    return files, pages


def make_pdf(pages: int, password: str = "") -> bytes:
    """A PDF of small empty pages."""
    document = pikepdf.new()
    for _ in range(pages):
        document.add_blank_page(page_size=(144, 144))
    target = io.BytesIO()
    document.save(target, encryption=pikepdf.Encryption(user=password, owner=password) if password else None)
    return target.getvalue()


def test_a_job_is_what_the_route_answers_for_one_file(runs: Runs) -> None:
    """The same text, structure and fields, whoever asks; nothing but times and ids differs."""
    page = (FIXTURES / "letter.png").read_bytes()
    for task in ("ocr", "structure", "extraction"):
        direct = runs.ask("POST", f"/{task}", files={"file": page}).json()
        path = runs.ask("POST", "/batch", files={"file": page}, data={"task": task}).headers["location"]
        wait_for(runs, path, lambda job: job["ended"])
        own = runs.ask("GET", f"{path}/files/0/result").json()
        for changing in ("timings_ms", "request_id", "document_id"):
            direct.pop(changing, None)
            own.pop(changing, None)
        for result in (direct, own):
            for one in result.get("pages", ()):
                one.pop("timings_ms", None)
        assert own == direct


@pytest.mark.parametrize("number", range(-(-ROUNDS // KILLS_A_JOB)))
def test_a_job_outlives_whatever_is_killed(runs: Runs, number: int) -> None:
    """Every page ends once, each broken file has its code, and nothing that was done is done again."""
    chance = random.Random(SEED * 1000 + number)
    kills = min(KILLS_A_JOB, ROUNDS - number * KILLS_A_JOB)
    kinds = chance.sample(KINDS, kills) if kills <= len(KINDS) else chance.choices(KINDS, k=kills)
    files, pages = make_files()
    parts = [("file", (name, data)) for name, data in files]
    path = runs.ask("POST", "/batch", files=parts).headers["location"]
    for share, kind in zip(sorted(chance.uniform(0.05, 0.8) for _ in kinds), kinds, strict=True):
        goal = int(share * len(files))
        wait_for(runs, path, lambda job, goal=goal: job["files_ended"] >= goal)
        print(f"round {number}: kill {kind} at {goal} of {len(files)} files", flush=True)
        runs.kill(kind)
    job = wait_for(runs, path, lambda job: job["ended"])
    assert job["status"] == "partial"
    assert (job["files_total"], job["files_ended"]) == (200, 200)
    # The cut picture has a page, which cannot be read; the other broken ones cannot even be opened.
    counts = (job["pages_total"], job["pages_processed"], job["pages_failed"])
    assert counts == (sum(pages) + 1, sum(pages), 1)
    codes = [file.get("error", {}).get("code") for file in job["files"]]
    assert codes == [code for code, _ in BROKEN.values()] + ["encrypted_pdf"] + [None] * 194
    assert [file["pages_processed"] for file in job["files"]] == pages
    for index in (6, 7, 16):
        result = runs.ask("GET", job["files"][index]["results"]["json"]).json()
        assert [page["number"] for page in result["pages"]] == list(range(1, pages[index] + 1))
    begun, rows = count_attempts(runs._folder / "data" / "jobs.sqlite", job["id"])
    assert rows == sum(pages) + 1
    print(f"round {number}: {rows} pages, {begun - rows} begun again", flush=True)
    # Only pages under way when their process died.
    assert begun - rows <= PAGES_AT_ONCE * kills


def wait_for(runs: Runs, path: str, is_so: Any) -> dict[str, Any]:
    """The job, as soon as something is true of it."""
    deadline = time.monotonic() + JOB_S
    while True:
        job: dict[str, Any] = {"ended": None, **runs.ask("GET", path, params={"wait": 1}).json()}
        if is_so(job):
            return job
        assert time.monotonic() < deadline, job


def count_attempts(database: Path, job_id: str) -> tuple[int, int]:
    """How often pages of a job were begun, and how many pages there are."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        query = "SELECT sum(attempts), count(*) FROM ocr_job_pages WHERE job_id = ?"
        begun, rows = connection.execute(query, (job_id,)).fetchone()
    return begun, rows

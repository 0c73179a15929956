"""An engine of jobs as a process of its own, which a test can kill; run as ``python job_process.py FOLDER``.

Where jobs are kept comes from the environment, as in a replica; the pages that it reads are in FOLDER/pages.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from job_work import TextWork

from configs.jobs import JobsSettings, JobsStage
from deployments.jobs.database import JobDatabase
from deployments.jobs.engine import JobEngine
from deployments.jobs.records import JobRecords
from deployments.jobs.rows import make_job_id
from deployments.jobs.states import JobRecord, NewJob, Order, StoredFile, Webhook
from deployments.jobs.storage import JobStorage, hash_bytes, input_key
from deployments.metric_table import NoRecorder

from paths import ROOT

OWNER = "shop"


@contextmanager
def running_engine(folder: Path, environment: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """An engine in another process, killed at the end."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    process = subprocess.Popen(
        [sys.executable, __file__, str(folder)],
        env={**os.environ, **environment, "PYTHONPATH": path},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def stop_still(process: "subprocess.Popen[bytes]") -> None:
    """Let a process stand where it is, so that the records tell what it has done when it is killed."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


class JobBox:
    """Where a test hands in jobs of texts and looks at them."""

    def __init__(self, settings: JobsSettings) -> None:
        self.database = JobDatabase(settings.database_url.get_secret_value())
        self.records = JobRecords(self.database, settings.ttl_s)
        self.storage = JobStorage(settings.storage_url)

    async def hand_in(
        self, *texts: str, formats: tuple[str, ...] = ("json",), webhook: Webhook | None = None
    ) -> str:
        """A job of these texts; its id."""
        job_id = make_job_id()
        files = []
        for text in texts:
            sha256 = hash_bytes(text.encode())
            key = input_key(job_id, sha256)
            await self.storage.put(key, text.encode())
            files.append(StoredFile(f"{text}.txt", key, len(text), sha256))
        self.records.accept(NewJob(job_id, OWNER, Order("ocr", {}, formats), tuple(files), webhook=webhook))
        return job_id

    def job(self, job_id: str) -> JobRecord:
        """The job as it is now."""
        job = self.records.get(OWNER, job_id)
        assert job is not None
        return job

    def list_ended_pages(self, job_id: str) -> list[tuple[int, int]]:
        """Place of the file and number of each page that was read and kept."""
        found = [self.records.get_file(job_id, file.place) for file in self.records.list_files(job_id)]
        return [
            (page.place, page.number)
            for pair in found
            if pair is not None
            for page in pair[1]
            if page.state == "done"
        ]

    def wait_for(self, job_id: str, is_so: Callable[[JobRecord], bool], timeout_s: float = 60) -> JobRecord:
        """The job, as soon as something is true of it."""
        deadline = time.monotonic() + timeout_s
        while not is_so(self.job(job_id)):
            assert time.monotonic() < deadline, self.job(job_id)
            time.sleep(0.05)
        return self.job(job_id)

    def wait_for_end(self, job_id: str, timeout_s: float = 60) -> JobRecord:
        """The job, as soon as it has ended."""
        return self.wait_for(job_id, lambda job: job.state not in ("queued", "running"), timeout_s)


@dataclass
class Bench:
    """A running engine, its work, and where jobs are handed in."""

    engine: JobEngine
    work: TextWork
    box: JobBox
    settings: JobsSettings


@contextmanager
def running_bench(environment: Mapping[str, str], work: TextWork | None = None) -> Iterator[Bench]:
    """An engine in this process; one at a time, because DBOS is one in a process."""
    settings, work = make_settings(environment), work or TextWork()
    engine = JobEngine(settings, JobsStage(), work, NoRecorder())
    engine.start()
    yield Bench(engine, work, JobBox(settings), settings)
    engine.stop()


async def watch(look: Callable[[], Awaitable[Any]], timeout_s: float = 60) -> AsyncIterator[Any]:
    """What can be seen, again and again, until the one who looks has seen enough."""
    async with asyncio.timeout(timeout_s):
        while True:
            yield await look()
            await asyncio.sleep(0.05)


def make_settings(environment: Mapping[str, str]) -> JobsSettings:
    """The settings of a process with this environment."""
    return JobsSettings.from_environment(environment)


def count_reads(folder: Path) -> dict[str, int]:
    """How often each page was read, by all processes of a folder."""
    counts: dict[str, int] = {}
    file = folder / "pages"
    for line in file.read_text().splitlines() if file.exists() else ():
        counts[line] = counts.get(line, 0) + 1
    return counts


if __name__ == "__main__":
    own = Path(sys.argv[1])
    engine = JobEngine(JobsSettings.from_environment(), JobsStage(), TextWork(own / "pages"), NoRecorder())
    engine.start()
    while True:
        time.sleep(60)

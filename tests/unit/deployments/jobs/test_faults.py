"""Databases and storages that cannot be used: clear errors, and jobs that go on when they can again."""

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from job_process import Bench, JobBox, make_settings
from job_work import TextWork

from configs.jobs import JobsStage
from deployments.errors import InputLost, JobsUnavailable, StorageUnavailable
from deployments.jobs import database as database_module
from deployments.jobs.database import JobDatabase
from deployments.jobs.engine import JobEngine
from deployments.jobs.storage import JobStorage
from deployments.metric_table import NoRecorder

from paths import ROOT

_FULL = """
import asyncio, resource, sys
from deployments.errors import StorageFull
from deployments.jobs.storage import JobStorage
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    asyncio.run(JobStorage(sys.argv[1]).put("jobs/a/inputs/x", bytes(1_000_000)))
except StorageFull as error:
    print(error.code, error.status)
"""


def test_a_storage_without_room_says_so(tmp_path: Path) -> None:
    """The system refuses to write any further: nothing is left half."""
    answer = subprocess.run(
        [sys.executable, "-c", _FULL, tmp_path.as_uri()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert answer.stdout.split() == ["storage_full", "503"], answer.stderr
    assert not (tmp_path / "jobs/a/inputs/x").exists()
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 100_000


async def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """Read-only, or no folder at all."""
    storage = JobStorage(tmp_path.as_uri())
    tmp_path.chmod(0o500)
    try:
        if os.geteuid() == 0:
            # To root nothing is read-only: as somebody else, for this one write.
            os.seteuid(65534)
        with pytest.raises(StorageUnavailable):
            await storage.put("jobs/a/inputs/x", b"1")
    finally:
        os.seteuid(os.getuid())
        tmp_path.chmod(0o700)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageUnavailable):
        await JobStorage((tmp_path / "file").as_uri()).put("jobs/a/inputs/x", b"1")


async def test_a_database_that_is_locked_says_so(
    box: JobBox, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while; what is read needs no lock; once it is free, jobs are taken again."""
    job_id = await box.hand_in("1")
    monkeypatch.setattr(database_module, "_LOCK_TIMEOUT_S", 0.2)
    impatient = JobBox(make_settings(environment))
    assert impatient.job(job_id).state == "queued"
    holder = sqlite3.connect(Path(environment["OCR_DATA_DIR"]) / "jobs.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(JobsUnavailable):
        await impatient.hand_in("1")
    assert impatient.job(job_id).state == "queued"
    holder.execute("ROLLBACK")
    holder.close()
    assert impatient.job(await impatient.hand_in("1")).state == "queued"


def test_a_database_that_is_not_there_says_so_without_its_password() -> None:
    """Nobody listens at this port."""
    database = JobDatabase("postgresql+psycopg://me:secret@127.0.0.1:9/jobs")
    with pytest.raises(JobsUnavailable) as caught, database.read():
        pass
    assert "secret" not in caught.value.message


async def test_an_engine_waits_for_its_database(environment: dict[str, str], tmp_path: Path) -> None:
    """It starts without one, says so, and ends what was handed in when there is one."""
    blocked = Path(environment["OCR_DATA_DIR"])
    blocked.write_text("no folder yet")
    engine = JobEngine(make_settings(environment), JobsStage(), TextWork(), NoRecorder())
    engine.start()
    try:
        blocked.unlink()
        box = JobBox(make_settings(environment))
        job_id = await box.hand_in("2")
        assert (await asyncio.to_thread(box.wait_for_end, job_id)).state == "done"
    finally:
        engine.stop()


async def test_an_input_that_was_changed_is_not_read(bench: Bench) -> None:
    """The hash is checked; a file that is gone has its code too."""
    job_id = await bench.box.hand_in("1 hang", "2", "3")
    changed, gone = bench.box.records.list_files(job_id)[1:]
    with pytest.raises(InputLost):
        await bench.box.storage.get("jobs/nothing")
    await bench.box.storage.put(changed.file.key, b"4")
    await bench.box.storage.delete(gone.file.key)
    bench.engine.wake()
    job = await asyncio.to_thread(bench.box.wait_for, job_id, lambda job: job.files_ended == 2)
    assert job.state == "running"
    faults = [file.fault for file in bench.box.records.list_files(job_id)]
    assert [fault and fault.code for fault in faults] == [None, "input_lost", "input_lost"]

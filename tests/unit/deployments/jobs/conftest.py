"""An engine of jobs over SQLite and a folder, in this process, with work that needs no models."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from job_process import Bench, JobBox, make_settings
from job_work import TextWork

from configs.jobs import JobsStage
from deployments.jobs.engine import JobEngine
from deployments.metric_table import NoRecorder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Jobs in a folder of the test."""
    return {"OCR_DATA_DIR": str(tmp_path / "data"), "JOBS_WEBHOOK_FIRST_DELAY_S": "0.05"}


@pytest.fixture
def box(environment: dict[str, str]) -> JobBox:
    return JobBox(make_settings(environment))


@pytest.fixture
def bench(environment: dict[str, str], box: JobBox) -> Iterator[Bench]:
    """One engine at a time: DBOS is one in a process."""
    settings, work = make_settings(environment), TextWork()
    engine = JobEngine(settings, JobsStage(), work, NoRecorder())
    engine.start()
    yield Bench(engine, work, box, settings)
    engine.stop()

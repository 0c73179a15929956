"""An engine of jobs over SQLite and a folder, in this process, with work that needs no models."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from job_process import Bench, JobBox, make_settings, running_bench


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Jobs in a folder of the test."""
    return {"OCR_DATA_DIR": str(tmp_path / "data"), "JOBS_WEBHOOK_FIRST_DELAY_S": "0.05"}


@pytest.fixture
def box(environment: dict[str, str]) -> JobBox:
    return JobBox(make_settings(environment))


@pytest.fixture
def bench(environment: dict[str, str]) -> Iterator[Bench]:
    with running_bench(environment) as bench:
        yield bench

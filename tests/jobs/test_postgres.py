"""Jobs of a cluster: several heads on one real PostgreSQL."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from job_process import JobBox, count_reads, make_settings, running_engine, stop_still

from postgres_process import running_postgres

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_postgres() as url:
        yield url


@pytest.fixture
def environment(server: str, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """A database of the test's own, and a folder that all heads share."""
    name = f"db_{abs(hash(request.node.name))}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    url = server.rpartition("/")[0] + f"/{name}"
    return {"JOBS_DATABASE_URL": url, "JOBS_STORAGE_URL": (tmp_path / "store").as_uri()}


async def test_two_heads_read_no_page_twice(environment: dict[str, str], tmp_path: Path) -> None:
    """Both read, each its own files; every page once."""
    box = JobBox(make_settings(environment))
    folders = [tmp_path / "one", tmp_path / "two"]
    with ExitStack() as stack:
        for folder in folders:
            folder.mkdir()
            stack.enter_context(running_engine(folder, environment))
        job_ids = [await box.hand_in(*[f"2 slow {place}" for place in range(8)]) for _ in range(2)]
        for job_id in job_ids:
            job = await asyncio.to_thread(box.wait_for_end, job_id, 90)
            assert (job.state, job.pages_processed) == ("done", 16)
    one, two = map(count_reads, folders)
    assert one
    assert two
    # Texts of the two jobs are the same: each page was read once for each.
    total = {page: one.get(page, 0) + two.get(page, 0) for page in {*one, *two}}
    assert set(total.values()) == {2}
    assert len(total) == 16


async def test_one_head_goes_on_with_what_a_dead_one_has_left(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Kill -9 of the one that reads: the other, which was there, ends the job and no page twice."""
    box = JobBox(make_settings(environment))
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with running_engine(folders[0], environment) as first:
        job_id = await box.hand_in(*[f"6 slow {place}" for place in range(4)])
        await asyncio.to_thread(box.wait_for, job_id, lambda job: job.pages_processed >= 5)
        stop_still(first)
        ended = {f"6 slow {place}#{number}" for place, number in box.list_ended_pages(job_id)}
        with running_engine(folders[1], environment):
            await asyncio.to_thread(wait_for_heads, environment["JOBS_DATABASE_URL"], 2)
            first.kill()
            first.wait()
            job = await asyncio.to_thread(box.wait_for_end, job_id, 90)
    assert (job.state, job.pages_total, job.pages_processed) == ("done", 24, 24)
    one, two = map(count_reads, folders)
    assert ended <= one.keys()
    assert not ended & two.keys()
    assert all(count == 1 for count in (*one.values(), *two.values()))
    assert len(box.list_ended_pages(job_id)) == 24


def wait_for_heads(url: str, count: int, timeout_s: float = 60) -> None:
    """Until so many processes are in the register of those that execute jobs."""
    deadline = time.monotonic() + timeout_s
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute("SELECT count(*) FROM ocr_job_executors").fetchone() != (count,):
            assert time.monotonic() < deadline
            time.sleep(0.05)

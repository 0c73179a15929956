"""DBOS in a process: when it takes part in the work, and when it costs nothing."""

import asyncio
import threading

import sqlalchemy as sa
from job_process import JobBox, make_settings, running_bench, watch

from deployments.jobs.database import JobDatabase
from deployments.jobs.durable import DurableWork
from deployments.jobs.executors import Executors
from deployments.jobs.session import FileSession
from deployments.jobs.tables import executors


class NoEngine:
    """An engine that is asked for nothing."""

    pages_in_flight = 1

    def open_session(self, job_id: str, place: int) -> FileSession:
        raise NotImplementedError

    async def close_session(self, session: FileSession) -> None:
        raise NotImplementedError

    async def tell(self, event_id: str, attempt: int) -> float | None:
        raise NotImplementedError


async def test_queues_are_asked_from_the_launch_to_the_end(environment: dict[str, str]) -> None:
    """Not before: polls for nothing cost a hundredth of a core."""
    settings = make_settings(environment)
    database = JobDatabase(settings.database_url.get_secret_value())
    Executors(database, "me").enter()
    durable = DurableWork(database, "me", 1)
    await asyncio.to_thread(durable.prepare)
    assert await count_pollers() == 0
    await asyncio.to_thread(durable.launch, NoEngine())
    await asyncio.to_thread(durable.launch, NoEngine())
    async for pollers in watch(count_pollers):
        if pollers == 3:
            break
    await asyncio.to_thread(durable.end)
    assert await count_pollers() == 0


async def test_a_process_that_had_no_jobs_leaves_nothing_to_take_over(environment: dict[str, str]) -> None:
    """It never took part; one that did stays in the register until another has looked what it left."""
    box = JobBox(make_settings(environment))

    async def list_entered() -> list[str]:
        with box.database.read() as connection:
            return list(connection.execute(sa.select(executors.c.id)).scalars())

    def begin() -> None:
        with running_bench(environment) as bench:
            bench.box.wait_for_end(asyncio.run(bench.box.hand_in("1")))

    with running_bench(environment):
        async for entered in watch(list_entered):
            if entered:
                break
    assert await list_entered() == []
    await asyncio.to_thread(begin)
    (left,) = await list_entered()
    with running_bench(environment):
        async for entered in watch(list_entered):
            if left not in entered and entered:
                break


async def count_pollers() -> int:
    """Threads that ask a queue for work."""
    return sum(thread.name.startswith("queue-worker") for thread in threading.enumerate())

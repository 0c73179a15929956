"""The thread of a replica."""

import asyncio
import threading

import pytest

from deployments.worker import StuckWorker, Worker


async def test_computations_run_one_after_the_other_on_one_thread() -> None:
    """An engine is never touched by two threads."""
    worker = Worker("test")
    threads = await asyncio.gather(*(worker.run(threading.get_ident) for _ in range(20)))
    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()


async def test_a_computation_that_does_not_end_fails_the_health_check() -> None:
    """Serve replaces a replica whose check raises; a healthy one passes before and after."""
    worker = Worker("test", stuck_after_s=0.0)
    worker.check()
    started, release = threading.Event(), threading.Event()

    def block() -> None:
        started.set()
        release.wait(10)

    task = asyncio.create_task(worker.run(block))
    await asyncio.to_thread(started.wait, 10)
    with pytest.raises(StuckWorker):
        worker.check()
    release.set()
    await task
    worker.check()

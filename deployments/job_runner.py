"""Deployment that reads the documents of jobs, beside those who wait for an answer."""

from collections.abc import Callable
from typing import Any

from ray import serve

from configs.jobs import JobsSettings, JobsStage
from deployments.allocator import return_large_blocks
from deployments.jobs.engine import JobEngine
from deployments.jobs.work import JobWork
from deployments.metrics import RayRecorder, show_memory
from deployments.recycling import Recycler


@serve.deployment
class JobRunner:
    """Adds to `JobEngine`: a replica, handles of the graph, metrics and health.

    ``make_work`` makes what reads documents from ``parts``, which hold the handles. Where the database or the
    storage of jobs cannot be used, the replica lives on, and tries again.
    """

    def __init__(self, stage: JobsStage, make_work: Callable[..., JobWork], parts: dict[str, Any]) -> None:
        return_large_blocks()
        self._recorder = RayRecorder()
        settings = JobsSettings.from_environment()
        self._engine = JobEngine(settings, stage, make_work(stage, **parts), self._recorder)
        self._recycler = Recycler("jobs", stage.memory, serve.get_replica_context().rank.rank)
        self._engine.start()

    async def wake(self) -> None:
        """Look for something to do at once: a job was accepted, cancelled or deleted."""
        self._engine.wake()

    async def check_health(self) -> None:
        """Raise when the replica is too large, or was taken for dead, so that Serve replaces it."""
        show_memory(self._recorder, "jobs")
        self._engine.check_health()
        self._recycler.check()

    def __del__(self) -> None:
        if hasattr(self, "_engine"):
            self._engine.stop()

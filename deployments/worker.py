"""The one thread on which a replica runs its model.

Engines are not thread-safe, and an event loop must not wait for them. A stuck computation cannot be
interrupted from inside, so the worker only notices it: the replica's health check then fails, and Serve
replaces the replica.
"""

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from deployments.usage import Usage, choose_clock

P = ParamSpec("P")
T = TypeVar("T")


class StuckWorker(RuntimeError):
    """A computation has been running for longer than any honest one does."""


class Worker:
    """Runs callables one after the other on a thread of its own; its processor time is added to ``usage``."""

    def __init__(
        self, name: str, stuck_after_s: float = 120.0, usage: Usage | None = None, threads: int = 1
    ) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._stuck_after_s = stuck_after_s
        self._usage = usage or Usage()
        self._read_cpu_s = choose_clock(threads)
        self._busy_since: float | None = None
        self._ended_s = -math.inf

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result, computed on the worker's thread."""

        def timed() -> T:
            usage = self._usage
            self._busy_since = time.monotonic()
            cpu_start_s, start_s, network_s = self._read_cpu_s(), time.perf_counter(), usage.network_s
            usage.first_run_s = 0.0
            try:
                result = function(*args, **kwargs)
                self._ended_s = time.monotonic()
                return result
            finally:
                usage.worker_cpu_s += self._read_cpu_s() - cpu_start_s
                elapsed_s = time.perf_counter() - start_s
                pre_s = usage.first_run_s - start_s if usage.first_run_s else elapsed_s
                usage.pre_s += pre_s
                usage.post_s += elapsed_s - pre_s - (usage.network_s - network_s)
                self._busy_since = None

        return await asyncio.get_running_loop().run_in_executor(self._executor, timed)

    def check(self) -> None:
        """Raise `StuckWorker` when the running computation, or the run of a network in it, takes too long."""
        since = self._busy_since
        if since is not None and time.monotonic() - max(since, self._usage.progress_s) > self._stuck_after_s:
            raise StuckWorker(f"a computation has been running for more than {self._stuck_after_s:.0f} s")

    def idle_s(self) -> float:
        """Seconds since a computation, or a run of a network in it, ended well; infinite when none has."""
        return time.monotonic() - max(self._ended_s, self._usage.progress_s or -math.inf)

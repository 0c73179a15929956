"""The one thread on which a replica runs its model.

Engines are not thread-safe, and an event loop must not wait for them. A stuck computation cannot be
interrupted from inside, so the worker only notices it: the replica's health check then fails, and Serve
replaces the replica.
"""

import asyncio
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

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result, computed on the worker's thread."""

        def timed() -> T:
            self._busy_since = time.monotonic()
            cpu_start_s = self._read_cpu_s()
            try:
                return function(*args, **kwargs)
            finally:
                self._usage.worker_cpu_s += self._read_cpu_s() - cpu_start_s
                self._busy_since = None

        return await asyncio.get_running_loop().run_in_executor(self._executor, timed)

    def check(self) -> None:
        """Raise `StuckWorker` when the running computation takes too long."""
        since = self._busy_since
        if since is not None and time.monotonic() - since > self._stuck_after_s:
            raise StuckWorker(f"a computation has been running for more than {self._stuck_after_s:.0f} s")

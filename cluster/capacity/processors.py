"""Cores and GPUs that all who compute at a moment share."""

from collections.abc import Generator
from typing import Any

import simpy

# What is left of a piece of work when nothing is left: clocks are floating point.
_NOTHING_S = 1e-9

Steps = Generator[simpy.Event, Any, Any]


class _Job:
    __slots__ = ("done", "left_s", "rate", "threads")

    def __init__(self, work_s: float, threads: float, done: simpy.Event) -> None:
        self.left_s = work_s
        self.threads = threads
        self.done = done
        self.rate = 0.0


class SharedProcessor:
    """So many units that compute; each job gets an equal share, and no more than its threads can use."""

    def __init__(self, env: simpy.Environment, units: float, speed: float = 1.0) -> None:
        self._env = env
        self._units = units
        self._speed = speed
        self._jobs: list[_Job] = []
        self._since_s = env.now
        self._version = 0
        self.busy_s = 0.0

    def run(self, work_s: float, threads: float = 1.0) -> simpy.Event:
        """An event at the time when ``work_s`` seconds of one unit have been computed."""
        done = self._env.event()
        if work_s <= 0.0:
            return done.succeed()
        self._advance()
        self._jobs.append(_Job(work_s / self._speed, threads, done))
        self._share()
        return done

    def _advance(self) -> None:
        elapsed_s = self._env.now - self._since_s
        self._since_s = self._env.now
        for job in self._jobs:
            job.left_s -= elapsed_s * job.rate
            self.busy_s += elapsed_s * job.rate

    def _share(self) -> None:
        """Give each job its share, those that can use least first, and wake up when the first is done."""
        units, left = self._units, len(self._jobs)
        for job in sorted(self._jobs, key=lambda job: job.threads):
            job.rate = min(job.threads, units / left)
            units -= job.rate
            left -= 1
        self._version += 1
        if self._jobs:
            version = self._version
            next_s = max(0.0, min(job.left_s / job.rate for job in self._jobs))
            timeout = self._env.timeout(next_s)
            timeout.callbacks.append(lambda _: self._finish(version))

    def _finish(self, version: int) -> None:
        if version != self._version:
            return
        self._advance()
        done = [job for job in self._jobs if job.left_s <= _NOTHING_S]
        self._jobs = [job for job in self._jobs if job.left_s > _NOTHING_S]
        for job in done:
            job.done.succeed()
        self._share()

"""A replica of a model: a queue, batches bounded by cost, one worker; as `deployments.batching`."""

from collections import deque
from dataclasses import dataclass

import simpy

from configs.settings import BatchKnobs

from capacity.parameters import StageTimes
from capacity.processors import SharedProcessor, Steps


@dataclass
class _Entry:
    cost: float
    answer: simpy.Event


class StageReplica:
    """Takes a batch when the worker is free: the oldest request and those behind it that fit.

    ``cost`` is in what `BatchKnobs.max_batch_size` counts: pages at a detector, lines at a recogniser.
    """

    def __init__(
        self,
        env: simpy.Environment,
        times: StageTimes,
        knobs: BatchKnobs,
        cores: SharedProcessor,
        gpu: SharedProcessor | None,
    ) -> None:
        self._env = env
        self._times = times
        self._knobs = knobs
        self._cores = cores
        self._gpu = gpu
        self._waiting: deque[_Entry] = deque()
        self._arrived = env.event()
        self.ongoing = 0
        self.batches = 0
        self.cost_done = 0.0
        env.process(self._work())

    def submit(self, cost: float) -> simpy.Event:
        """An event at the time when so much has been computed for this caller."""
        entry = _Entry(cost, self._env.event())
        self._waiting.append(entry)
        self.ongoing += 1
        if not self._arrived.triggered:
            self._arrived.succeed()
        return entry.answer

    def _work(self) -> Steps:
        while True:
            while not self._waiting:
                self._arrived = self._env.event()
                yield self._arrived
            yield from self._wait_for_company()
            batch = self._take_batch()
            yield from self._compute(sum(entry.cost for entry in batch))
            for entry in batch:
                self.ongoing -= 1
                entry.answer.succeed()

    def _wait_for_company(self) -> Steps:
        deadline_s = self._env.now + self._knobs.batch_wait_timeout_s
        while self._env.now < deadline_s and self._count_ready() < self._knobs.max_batch_size:
            self._arrived = self._env.event()
            yield self._arrived | self._env.timeout(deadline_s - self._env.now)

    def _count_ready(self) -> float:
        return sum(entry.cost for entry in self._waiting)

    def _take_batch(self) -> list[_Entry]:
        batch, cost = [self._waiting.popleft()], 0.0
        cost = batch[0].cost
        left: deque[_Entry] = deque()
        for entry in self._waiting:
            if cost + entry.cost <= self._knobs.max_batch_size:
                batch.append(entry)
                cost += entry.cost
            else:
                left.append(entry)
        self._waiting = left
        return batch

    def _compute(self, cost: float) -> Steps:
        """Before and after the network on cores; the network on the GPU in runs, or on cores."""
        self.batches += 1
        self.cost_done += cost
        threads = self._times.threads.value if self._times.threads else 1.0
        yield self._cores.run(self._times.cpu_ms.value * cost / 1000, threads)
        if self._times.gpu is None or self._gpu is None:
            return
        left = cost
        while left > 0.0:
            run = min(left, float(self._knobs.max_items_per_run))
            yield self._gpu.run(self._times.gpu.seconds(run))
            left -= run

"""The queue before a model: requests of all callers, formed into batches whenever the model is free.

`ray.serve.batch` forms a batch as soon as a request arrives and then lets it wait for the model, so under
load its batches hold what came within the wait time and no more, and a caller who has left is computed all
the same. Here a batch is taken at the moment when the model can start on it: the longer the queue, the fuller
the batch, without anybody waiting for company (docs/decisions/0005). Background work stands behind all
that is interactive (docs/decisions/0021).
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, Protocol, TypeVar

from configs.settings import BatchKnobs
from deployments.document import Lane
from deployments.models.batch import IsWanted
from deployments.tracing import Span, current_span, start_batch_span
from deployments.usage import BatchRecord, Usage
from deployments.worker import Worker

RequestT = TypeVar("RequestT")
AnswerT = TypeVar("AnswerT")
RequestT_contra = TypeVar("RequestT_contra", contravariant=True)
AnswerT_co = TypeVar("AnswerT_co", covariant=True)


class BatchCompute(Protocol[RequestT_contra, AnswerT_co]):
    """Answers a batch, with errors in place of answers; what is not wanted may have any answer."""

    def __call__(
        self, requests: Sequence[RequestT_contra], is_wanted: IsWanted
    ) -> "Sequence[AnswerT_co | Exception]":
        """Runs on the worker's thread."""
        ...


class _Entry(Generic[RequestT, AnswerT]):
    def __init__(self, request: RequestT, cost: int, kind: Hashable, lane: Lane) -> None:
        self.request = request
        self.cost = cost
        self.kind = kind
        self.lane = lane
        self.arrived_s = time.perf_counter()
        self.span = current_span()
        self.answer: asyncio.Future[AnswerT] = asyncio.get_running_loop().create_future()


class BatchQueue(Generic[RequestT, AnswerT]):
    """Batches of requests for one worker.

    ``cost_of`` gives a request's share of `BatchKnobs.max_batch_size`; one that alone costs more than that is
    computed alone. ``kind_of`` keeps apart what cannot be computed together: a batch holds the oldest request
    and others of its kind and lane. Belongs to one event loop.
    """

    def __init__(
        self,
        compute: BatchCompute[RequestT, AnswerT],
        worker: Worker,
        usage: Usage,
        cost_of: Callable[[RequestT], int] = lambda _: 1,
        kind_of: Callable[[RequestT], Hashable] = lambda _: None,
        note_batch: Callable[[BatchRecord], None] = lambda _: None,
        name: str = "batch",
    ) -> None:
        self._name = name
        self._compute = compute
        self._worker = worker
        self._usage = usage
        self._cost_of = cost_of
        self._kind_of = kind_of
        self._note_batch = note_batch
        self._knobs = BatchKnobs()
        self._waiting: deque[_Entry[RequestT, AnswerT]] = deque()
        self._under_way: list[_Entry[RequestT, AnswerT]] = []
        self._arrived = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        # When each lane was last heard of, by the loop's clock; background work has been waited for since.
        self._last_s: dict[Lane, float] = {"interactive": -math.inf, "background": -math.inf}

    def change_knobs(self, knobs: BatchKnobs) -> None:
        """Take new knobs; they hold from the next batch on."""
        self._knobs = knobs
        self._arrived.set()

    async def submit(self, request: RequestT, lane: Lane = "interactive") -> AnswerT:
        """The request's answer. Cancelled, it takes no more time than the run of the network under way."""
        entry = _Entry[RequestT, AnswerT](request, self._cost_of(request), self._kind_of(request), lane)
        # Patience counts from the moment when background work begins to wait.
        if lane == "interactive" or all(other.lane == "interactive" for other in self._waiting):
            self._note(lane)
        self._waiting.append(entry)
        self._arrived.set()
        if self._runner is None:
            self._runner = asyncio.create_task(self._run_all())
        return await entry.answer

    def refuse_all(self, error: Exception) -> None:
        """Answer all that wait, and the batch under way, with an error: nothing more is to be had here."""
        for entry in (*self._waiting, *self._under_way):
            if not entry.answer.done():
                entry.answer.set_exception(error)

    async def _run_all(self) -> None:
        try:
            while self._drop_unwanted():
                await self._wait_for_quiet()
                await self._wait_for_company()
                await self._run_one(self._take_batch())
        finally:
            self._runner = None

    def _drop_unwanted(self) -> int:
        wanted = [entry for entry in self._waiting if not entry.answer.done()]
        self._usage.dropped += len(self._waiting) - len(wanted)
        self._waiting = deque(wanted)
        return len(wanted)

    async def _wait_for_quiet(self) -> None:
        """Hold background work back while somebody is being served, though never for ever."""
        while self._next_lane() == "background":
            due_s = min(
                self._last_s["interactive"] + self._knobs.background_quiet_s,
                self._last_s["background"] + self._knobs.background_patience_s,
            )
            if self._now_s() >= due_s:
                return
            self._arrived.clear()
            try:
                async with asyncio.timeout_at(due_s):
                    await self._arrived.wait()
            except TimeoutError:
                return

    def _next_lane(self) -> Lane:
        waiting = {entry.lane for entry in self._waiting}
        is_overdue = self._now_s() >= self._last_s["background"] + self._knobs.background_patience_s
        if waiting == {"background"}:
            return "background"
        return "background" if "background" in waiting and is_overdue else "interactive"

    def _note(self, lane: Lane) -> None:
        self._last_s[lane] = self._now_s()

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()

    async def _wait_for_company(self) -> None:
        """Wait until the next batch is full, at most as long as the knobs say."""
        if self._knobs.batch_wait_timeout_s == 0.0:
            return
        start_s = time.perf_counter()
        await self._wait_until_full()
        self._usage.company_s += time.perf_counter() - start_s

    async def _wait_until_full(self) -> None:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._knobs.batch_wait_timeout_s
        while loop.time() < deadline_s and self._choose_cost() < self._knobs.max_batch_size:
            self._arrived.clear()
            try:
                async with asyncio.timeout_at(deadline_s):
                    await self._arrived.wait()
            except TimeoutError:
                return

    def _choose(self) -> list[_Entry[RequestT, AnswerT]]:
        """The oldest request of the lane whose turn it is, and those behind it that fit."""
        lane = self._next_lane()
        chosen: list[_Entry[RequestT, AnswerT]] = []
        cost = 0
        for entry in self._waiting:
            fits = not chosen or (
                entry.kind == chosen[0].kind and cost + entry.cost <= self._knobs.max_batch_size
            )
            if fits and entry.lane == lane and not entry.answer.done():
                chosen.append(entry)
                cost += entry.cost
        return chosen

    def _choose_cost(self) -> int:
        return sum(entry.cost for entry in self._choose())

    def _take_batch(self) -> list[_Entry[RequestT, AnswerT]]:
        batch = self._choose()
        taken = set(map(id, batch))
        self._waiting = deque(entry for entry in self._waiting if id(entry) not in taken)
        return batch

    async def _run_one(self, batch: list[_Entry[RequestT, AnswerT]]) -> None:
        def is_wanted(index: int) -> bool:
            return not batch[index].answer.cancelled()

        now_s = time.perf_counter()
        for entry in batch:
            self._usage.queue_s += now_s - entry.arrived_s
            self._usage.cost += entry.cost
        self._under_way = batch
        requests = [entry.request for entry in batch]
        span = start_batch_span(f"{self._name}.batch", [entry.span for entry in batch])
        network_s = self._usage.network_s
        answers: Sequence[AnswerT | Exception]
        try:
            answers = await self._worker.run(self._compute, requests, is_wanted)
        except Exception as error:
            answers = [error] * len(batch)
        if span is not None:
            self._end_span(span, batch, now_s, self._usage.network_s - network_s)
        self._usage.batches += bool(batch)
        for lane in {entry.lane for entry in batch}:
            self._note(lane)
        self._hand_out(batch, answers)
        self._note_batch(BatchRecord(len(batch), time.perf_counter() - now_s))

    def _hand_out(
        self, batch: list[_Entry[RequestT, AnswerT]], answers: Sequence[AnswerT | Exception]
    ) -> None:
        for entry, answer in zip(batch, answers, strict=True):
            if entry.answer.done():
                self._usage.dropped += 1
                continue
            self._usage.items += 1
            if isinstance(answer, Exception):
                entry.answer.set_exception(answer)
            else:
                entry.answer.set_result(answer)

    @staticmethod
    def _end_span(
        span: Span, batch: list[_Entry[RequestT, AnswerT]], start_s: float, network_s: float
    ) -> None:
        for entry in batch:
            if entry.span is not None:
                entry.span.set(queue_ms=round((start_s - entry.arrived_s) * 1e3, 2))
        cost = sum(entry.cost for entry in batch)
        span.set(items=len(batch), cost=cost, network_ms=round(network_s * 1e3, 2))
        span.end()

"""The queue before a model: requests of all callers, formed into batches whenever the model is free.

`ray.serve.batch` forms a batch as soon as a request arrives and then lets it wait for the model, so under
load its batches hold what came within the wait time and no more, and a caller who has left is computed all
the same. Here a batch is taken at the moment when the model can start on it: the longer the queue, the fuller
the batch, without anybody waiting for company (docs/decisions/0005).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, Protocol, TypeVar

from configs.settings import BatchKnobs
from deployments.models.batch import IsWanted
from deployments.usage import Usage
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
    def __init__(self, request: RequestT, cost: int, kind: Hashable) -> None:
        self.request = request
        self.cost = cost
        self.kind = kind
        self.answer: asyncio.Future[AnswerT] = asyncio.get_running_loop().create_future()


class BatchQueue(Generic[RequestT, AnswerT]):
    """Batches of requests for one worker.

    ``cost_of`` gives a request's share of `BatchKnobs.max_batch_size`; one that alone costs more than that is
    computed alone. ``kind_of`` keeps apart what cannot be computed together: a batch holds the oldest request
    and others of its kind. Belongs to one event loop.
    """

    def __init__(
        self,
        compute: BatchCompute[RequestT, AnswerT],
        worker: Worker,
        usage: Usage,
        cost_of: Callable[[RequestT], int] = lambda _: 1,
        kind_of: Callable[[RequestT], Hashable] = lambda _: None,
    ) -> None:
        self._compute = compute
        self._worker = worker
        self._usage = usage
        self._cost_of = cost_of
        self._kind_of = kind_of
        self._knobs = BatchKnobs()
        self._waiting: deque[_Entry[RequestT, AnswerT]] = deque()
        self._arrived = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None

    def change_knobs(self, knobs: BatchKnobs) -> None:
        """Take new knobs; they hold from the next batch on."""
        self._knobs = knobs

    async def submit(self, request: RequestT) -> AnswerT:
        """The request's answer. Cancelled, it takes no more time than the run of the network under way."""
        entry = _Entry[RequestT, AnswerT](request, self._cost_of(request), self._kind_of(request))
        self._waiting.append(entry)
        self._arrived.set()
        if self._runner is None:
            self._runner = asyncio.create_task(self._run_all())
        return await entry.answer

    async def _run_all(self) -> None:
        try:
            while self._drop_unwanted():
                await self._wait_for_company()
                await self._run_one(self._take_batch())
        finally:
            self._runner = None

    def _drop_unwanted(self) -> int:
        wanted = [entry for entry in self._waiting if not entry.answer.done()]
        self._usage.dropped += len(self._waiting) - len(wanted)
        self._waiting = deque(wanted)
        return len(wanted)

    async def _wait_for_company(self) -> None:
        """Wait until the next batch is full, at most as long as the knobs say."""
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
        """The oldest request and those behind it that fit."""
        chosen: list[_Entry[RequestT, AnswerT]] = []
        cost = 0
        for entry in self._waiting:
            fits = not chosen or (
                entry.kind == chosen[0].kind and cost + entry.cost <= self._knobs.max_batch_size
            )
            if fits and not entry.answer.done():
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

        requests = [entry.request for entry in batch]
        try:
            answers = await self._worker.run(self._compute, requests, is_wanted)
        except Exception as error:
            answers = [error] * len(batch)
        self._usage.batches += bool(batch)
        for entry, answer in zip(batch, answers, strict=True):
            if entry.answer.done():
                self._usage.dropped += 1
                continue
            self._usage.items += 1
            if isinstance(answer, Exception):
                entry.answer.set_exception(answer)
            else:
                entry.answer.set_result(answer)

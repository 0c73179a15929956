"""The queue before a model: what shares a batch, and what is not computed at all."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.settings import BatchKnobs
from deployments.batching import BatchQueue
from deployments.document import Lane
from deployments.input_errors import MalformedImage
from deployments.usage import Usage
from deployments.worker import Worker


class Doubler:
    """A model that doubles numbers, holds still when told to, and keeps the batches that it was given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.skipped: list[int] = []
        self.started, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def compute(self, numbers: Sequence[int], is_wanted: Callable[[int], bool]) -> list[int | Exception]:
        """Twice each number; 13 fails."""
        self.batches.append([*numbers])
        self.started.set()
        assert self.go_on.wait(10)
        self.skipped += [number for index, number in enumerate(numbers) if not is_wanted(index)]
        return [MalformedImage("13") if number == 13 else 2 * number for number in numbers]


class Bench:
    """A queue over a doubler."""

    def __init__(self, **knobs: float) -> None:
        self.model, self.usage = Doubler(), Usage()
        self.queue = BatchQueue[int, int](
            self.model.compute,
            Worker("test"),
            self.usage,
            cost_of=lambda number: max(1, number // 10),
            kind_of=lambda number: "big" if number > 1000 else "small",
        )
        self.queue.change_knobs(BatchKnobs.model_validate(knobs))

    async def hold(self, number: int = 1) -> "asyncio.Task[int]":
        """Occupy the model with a request, so that others queue up."""
        self.model.go_on.clear()
        task = asyncio.create_task(self.queue.submit(number))
        await asyncio.to_thread(self.model.started.wait, 10)
        return task

    async def submit_all(self, *numbers: int, lane: Lane = "interactive") -> list["asyncio.Task[int]"]:
        """Requests that have reached the queue."""
        tasks = [asyncio.create_task(self.queue.submit(number, lane)) for number in numbers]
        await asyncio.sleep(0)
        return tasks


async def test_what_waits_while_the_model_is_busy_shares_the_next_batch() -> None:
    """Without any wait time: the queue fills the batch."""
    bench = Bench(max_batch_size=4)
    held = await bench.hold()
    tasks = await bench.submit_all(2, 3, 4, 5, 6)
    bench.model.go_on.set()
    assert await asyncio.gather(held, *tasks) == [2, 4, 6, 8, 10, 12]
    assert bench.model.batches == [[1], [2, 3, 4, 5], [6]]
    assert (bench.usage.items, bench.usage.batches) == (6, 3)


async def test_a_batch_is_bounded_by_cost_and_never_passes_the_oldest_over() -> None:
    """One that costs too much is computed alone; small ones may go ahead of those that do not fit."""
    bench = Bench(max_batch_size=5)
    held = await bench.hold()
    tasks = await bench.submit_all(30, 40, 20, 900, 10)
    bench.model.go_on.set()
    await asyncio.gather(held, *tasks)
    assert bench.model.batches == [[1], [30, 20], [40, 10], [900]]


async def test_kinds_are_not_mixed() -> None:
    """Pages of two shapes cannot share a run of the network."""
    bench = Bench(max_batch_size=1000)
    held = await bench.hold()
    tasks = await bench.submit_all(2, 1001, 3, 1002)
    bench.model.go_on.set()
    await asyncio.gather(held, *tasks)
    assert bench.model.batches == [[1], [2, 3], [1001, 1002]]


async def test_a_caller_who_left_is_not_computed() -> None:
    """Neither from the queue nor, once the model looks, from the batch under way."""
    bench = Bench(max_batch_size=2)
    held = await bench.hold()
    queued, _, kept = await bench.submit_all(2, 3, 4)
    queued.cancel()
    held.cancel()
    await asyncio.wait([queued, held])
    bench.model.go_on.set()
    assert await kept == 8
    assert bench.model.batches == [[1], [3, 4]]
    assert bench.model.skipped == [1]
    assert bench.usage.dropped == 2


async def test_an_error_is_its_own_requests_alone() -> None:
    """The others of the batch have their answers."""
    bench = Bench(max_batch_size=4)
    held = await bench.hold()
    good, bad = await bench.submit_all(2, 13)
    bench.model.go_on.set()
    assert await good == 4
    with pytest.raises(MalformedImage):
        await bad
    await held


async def test_a_batch_waits_for_company_until_it_is_full() -> None:
    """With a wait time no machine reaches, only the full batch starts."""
    bench = Bench(max_batch_size=3, batch_wait_timeout_s=1.0)
    tasks = await bench.submit_all(2, 3)
    assert not bench.model.batches
    tasks += await bench.submit_all(4)
    assert await asyncio.gather(*tasks) == [4, 6, 8]
    assert bench.model.batches == [[2, 3, 4]]


async def test_new_knobs_hold_from_the_next_batch_on() -> None:
    """No restart, nothing lost."""
    bench = Bench(max_batch_size=1)
    held = await bench.hold()
    tasks = await bench.submit_all(2, 3)
    bench.queue.change_knobs(BatchKnobs(max_batch_size=9))
    bench.model.go_on.set()
    await asyncio.gather(held, *tasks)
    assert bench.model.batches == [[1], [2, 3]]


async def test_background_work_stands_behind_what_came_later() -> None:
    """The lanes do not share a batch either."""
    bench = Bench(max_batch_size=9, background_quiet_s=0.0)
    held = await bench.hold()
    background = await bench.submit_all(2, 3, lane="background")
    interactive = await bench.submit_all(4, 5)
    bench.model.go_on.set()
    assert await asyncio.gather(held, *background, *interactive) == [2, 4, 6, 8, 10]
    assert bench.model.batches == [[1], [4, 5], [2, 3]]


async def test_background_work_waits_until_nobody_has_asked_for_a_while() -> None:
    """A page comes to a recogniser in turns: between them there is no work, yet somebody waits."""
    bench = Bench(max_batch_size=9, background_quiet_s=60.0, background_patience_s=600.0)
    held = await bench.hold()
    (background,) = await bench.submit_all(2, lane="background")
    bench.model.go_on.set()
    await held
    (later,) = await bench.submit_all(3)
    assert await later == 6
    assert not background.done()
    bench.queue.change_knobs(BatchKnobs(background_quiet_s=0.0))
    assert await background == 4
    assert bench.model.batches == [[1], [3], [2]]


async def test_background_work_is_not_put_off_for_ever() -> None:
    """With its patience at an end it has one batch before others."""
    bench = Bench(max_batch_size=1, background_quiet_s=60.0, background_patience_s=1e-6)
    held = await bench.hold()
    (background,) = await bench.submit_all(2, lane="background")
    interactive = await bench.submit_all(3, 4)
    bench.model.go_on.set()
    assert await asyncio.gather(held, background, *interactive) == [2, 4, 6, 8]
    assert bench.model.batches == [[1], [2], [3], [4]]


async def test_background_work_alone_starts_at_once() -> None:
    """No quiet is waited for where there has been no noise."""
    bench = Bench(max_batch_size=1, background_quiet_s=60.0, background_patience_s=600.0)
    (background,) = await bench.submit_all(2, lane="background")
    assert await background == 4


@settings(max_examples=50, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 3000), max_size=30),
    size=st.integers(1, 20),
    leaving=st.sets(st.integers(0, 29)),
)
async def test_who_stays_has_the_own_answer(numbers: list[int], size: int, leaving: set[int]) -> None:
    """Whatever the mix of costs, kinds and callers who leave; only a lone request exceeds the size."""
    bench = Bench(max_batch_size=size)
    held = await bench.hold()
    tasks = await bench.submit_all(*numbers)
    for index in leaving & set(range(len(tasks))):
        tasks[index].cancel()
    bench.model.go_on.set()
    answers = await asyncio.gather(held, *tasks, return_exceptions=True)
    for index, (number, answer) in enumerate(zip(numbers, answers[1:], strict=True)):
        if index in leaving:
            assert isinstance(answer, asyncio.CancelledError)
        elif number == 13:
            assert isinstance(answer, MalformedImage)
        else:
            assert answer == 2 * number
    for batch in bench.model.batches:
        assert len(batch) == 1 or sum(max(1, number // 10) for number in batch) <= size

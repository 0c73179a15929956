import pytest
import simpy

from configs.settings import BatchKnobs

from capacity.parameters import Curve, Figure, StageTimes
from capacity.processors import SharedProcessor
from capacity.stage import StageReplica


def run(knobs: BatchKnobs, arrivals: list[tuple[float, float]], ms_by_items: dict[int, float]):
    """When requests (moment, cost) are answered, and the replica."""
    env = simpy.Environment()
    times = StageTimes(
        cpu_ms=Figure(value=0, source="a test's figure"),
        gpu=Curve(ms_by_items=ms_by_items, source="a test's figure"),
    )
    replica = StageReplica(env, times, knobs, SharedProcessor(env, 1), SharedProcessor(env, 1))
    done: list[float] = []

    def call(at_s: float, cost: float):
        yield env.timeout(at_s)
        yield replica.submit(cost)
        done.append(env.now)

    for arrival in arrivals:
        env.process(call(*arrival))
    env.run(until=1000)
    return done, replica


def test_requests_that_wait_together_are_computed_together() -> None:
    done, replica = run(
        BatchKnobs(max_batch_size=4, max_items_per_run=4), [(0, 1)] + [(0.5, 1)] * 4, {1: 1000, 4: 2000}
    )
    # The first starts at once, alone; the four that come meanwhile share a run.
    assert done == pytest.approx([1, 3, 3, 3, 3])
    assert replica.batches == 2
    assert replica.ongoing == 0


def test_a_batch_costs_no_more_than_it_may() -> None:
    _, replica = run(
        BatchKnobs(max_batch_size=3, max_items_per_run=3), [(0, 1)] + [(0.1, 2)] * 3, {1: 1000, 3: 2000}
    )
    assert replica.batches == 4
    assert replica.cost_done == 7


def test_what_alone_costs_too_much_is_computed_alone() -> None:
    _, replica = run(
        BatchKnobs(max_batch_size=2, max_items_per_run=2), [(0, 5), (0.1, 1)], {1: 1000, 2: 1500}
    )
    assert replica.batches == 2


def test_a_batch_is_divided_into_runs() -> None:
    done, _ = run(BatchKnobs(max_batch_size=8, max_items_per_run=2), [(0, 5)], {1: 1000, 2: 1500})
    assert done == pytest.approx([1.5 + 1.5 + 1.0])


def test_company_is_waited_for_no_longer_than_allowed() -> None:
    knobs = BatchKnobs(max_batch_size=2, max_items_per_run=2, batch_wait_timeout_s=0.5)
    done, replica = run(knobs, [(0, 1), (0.2, 1)], {1: 1000, 2: 1500})
    assert replica.batches == 1
    assert done == pytest.approx([1.7, 1.7])
    assert run(knobs, [(0, 1)], {1: 1000, 2: 1500})[0] == pytest.approx([1.5])

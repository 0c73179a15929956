import pytest
import simpy

from capacity.processors import SharedProcessor


def finish(
    units: float, jobs: list[tuple[float, float, float]], speed: float = 1.0
) -> tuple[list[float], float]:
    """When jobs (start, work, threads) are done, and for how long units were busy."""
    env = simpy.Environment()
    processor = SharedProcessor(env, units, speed)
    done: dict[int, float] = {}

    def run(index: int, start_s: float, work_s: float, threads: float):
        yield env.timeout(start_s)
        yield processor.run(work_s, threads)
        done[index] = env.now

    for index, job in enumerate(jobs):
        env.process(run(index, *job))
    env.run()
    return [done[index] for index in range(len(jobs))], processor.busy_s


def test_a_job_alone_takes_its_work_over_its_threads() -> None:
    assert finish(2, [(0, 3, 1)])[0] == [pytest.approx(3)]
    assert finish(2, [(0, 3, 2)])[0] == [pytest.approx(1.5)]


def test_jobs_share_what_there_is() -> None:
    # Three want one each of two: two thirds each.
    assert finish(2, [(0, 2, 1)] * 3)[0] == pytest.approx([3, 3, 3])


def test_who_can_use_less_leaves_the_rest_to_others() -> None:
    done, _ = finish(2, [(0, 2, 0.5), (0, 3, 2)])
    assert done == pytest.approx([4, 2])


def test_one_that_comes_later_slows_the_first() -> None:
    done, busy_s = finish(1, [(0, 2, 1), (1, 1, 1)])
    assert done == pytest.approx([3, 3])
    assert busy_s == pytest.approx(3)


def test_a_slower_processor_takes_longer() -> None:
    assert finish(1, [(0, 3, 1)], speed=0.5)[0] == [pytest.approx(6)]


def test_no_work_takes_no_time() -> None:
    assert finish(1, [(0, 0, 1)])[0] == [0]

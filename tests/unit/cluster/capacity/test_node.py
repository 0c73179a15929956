import random

import pytest
import simpy

from capacity.callers import run_closed_loop, run_open_loop
from capacity.node import SimulatedNode, draw_lines
from capacity.parameters import load_node
from capacity.validation import MEASURED, validate

PAGES = {1: 0.8, 5: 0.2}


def open_loop(pages_per_s: float, seconds: float = 120.0, seed: int = 1) -> SimulatedNode:
    env, chance = simpy.Environment(), random.Random(seed)
    node = SimulatedNode(env, load_node("g4dn-xlarge"), chance)
    run_open_loop(env, node, pages_per_s, PAGES, seconds, chance)
    return node


@pytest.mark.parametrize("pages_per_s", [2.0, 30.0])
def test_nobody_gets_lost(pages_per_s: float) -> None:
    account = open_loop(pages_per_s).account
    assert account.arrived == account.served + account.refused + account.in_flight
    assert account.in_flight >= 0
    assert len(account.document_s) == account.served
    assert account.pages_arrived >= account.pages_served + account.pages_refused


def test_the_same_seed_gives_the_same_times_and_another_gives_others() -> None:
    assert open_loop(4.0).account == open_loop(4.0).account
    assert open_loop(4.0).account.document_s != open_loop(4.0, seed=2).account.document_s


def test_what_is_too_much_is_refused_by_the_services_own_admission() -> None:
    assert open_loop(2.0).account.refused == 0
    account = open_loop(30.0).account
    assert account.refused > account.served
    # 20 s of queue (`limits.max_queue_s`), which the admission foresees from the rate that it has learned.
    assert max(account.page_s) < 30


def test_pages_in_the_node_are_their_rate_times_their_time() -> None:
    """Little's law, over a closed loop, where the number of pages is known: each caller has one in there."""
    env = simpy.Environment()
    node = SimulatedNode(env, load_node("g4dn-xlarge"), random.Random(1))
    run_closed_loop(env, node, callers=8, documents=800)
    rate = node.account.served / env.now
    mean_s = sum(node.account.document_s) / node.account.served
    assert rate * mean_s == pytest.approx(8, rel=0.02)
    assert node.account.page_seconds / env.now == pytest.approx(8, rel=0.02)


def test_no_processor_does_more_than_it_can() -> None:
    node = open_loop(30.0)
    assert 0 < node.core_seconds <= 4 * 120 * 1.001
    assert 0 < node.gpu_seconds <= 120 * 1.001


def test_lines_have_the_mean_that_was_told_where_nothing_is_cut_off() -> None:
    kind = load_node("cpu-2-cores").page
    chance = random.Random(1)
    wide = kind.model_copy(update={"lines_most": kind.lines_most.model_copy(update={"value": 1e9})})
    drawn = [draw_lines(wide, chance) for _ in range(20_000)]
    assert sum(drawn) / len(drawn) == pytest.approx(kind.lines_mean.value, rel=0.03)
    assert max(draw_lines(kind, chance) for _ in range(5_000)) <= kind.lines_most.value


def test_the_simulation_of_two_cores_gives_what_was_measured_there() -> None:
    checks = validate(documents=600)
    assert {check.callers for check in checks} == set(MEASURED)
    assert all(check.holds for check in checks), [check for check in checks if not check.holds]

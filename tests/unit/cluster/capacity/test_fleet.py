import numpy as np
import pytest

from capacity.fleet import Day, Fleet, weighted_quantile
from capacity.load import DAY_S, draw_load
from capacity.node_curve import NodeCurve
from capacity.parameters import Scenario, load_node, load_plan
from capacity.results import adapt_node, add_up

PLAN = load_plan()
NODE = load_node("g4dn-xlarge")
# A node that reads ten pages a second, before whose detector pages queue.
CURVE = NodeCurve(
    pages_per_s=10.0,
    document_s=np.array([0.4, 0.5, 0.6]),
    offered=np.array([0.0, 6.0, 10.0]),
    in_system=np.array([0.0, 5.0, 100.0]),
    ongoing={
        "ingress": np.array([0.0, 2.0, 40.0]),
        "orientation": np.array([0.0, 0.3, 0.6]),
        "detection": np.array([0.0, 3.0, 60.0]),
        "recognition": np.array([0.0, 1.5, 2.5]),
    },
)


def make_scenario(**changed: object) -> Scenario:
    told = {
        "name": "test",
        "peak_pages_per_s": 40,
        "night_share": 1.0,
        "bursts": 0,
        "burst_factor": 1.0,
        "burst_s": 60,
        "pages_per_document": {1: 0.9, 10: 0.1},
        "min_workers": 5,
        "max_workers": 20,
        "spot_percent": 50,
        **changed,
    }
    return Scenario.model_validate(told)


def live(seconds: int = 3600, seed: int = 1, **changed: object) -> Day:
    return Fleet(PLAN, make_scenario(**changed), NODE, CURVE, seed).run(seconds)


@pytest.mark.parametrize("rate", [5, 45, 400])
def test_every_page_is_read_refused_lost_or_on_its_way(rate: int) -> None:
    day = live(peak_pages_per_s=rate, mass_loss_hour=0.5, mass_loss_share=1.0)
    assert day.arrived == day.served + day.refused + day.lost + day.in_flight
    assert day.arrived == pytest.approx(rate * 3600, rel=0.05)


def test_the_same_seed_gives_the_same_day() -> None:
    assert live() == live()
    assert live().arrived != live(seed=2).arrived


def test_a_fleet_that_suffices_refuses_nobody() -> None:
    day = live(peak_pages_per_s=10)
    assert day.refused == 0
    assert day.quantile_s(0.95) < 5
    assert max(minute["present"] for minute in day.minutes) < 10


def test_nodes_come_when_they_are_needed_and_not_before_they_can() -> None:
    day = live(peak_pages_per_s=90)
    assert day.minutes[0]["ready"] == 5
    grown = next(minute for minute in day.minutes if minute["present"] > 5)
    ready = next(minute for minute in day.minutes if minute["ready"] > 5)
    assert ready["at_s"] - grown["at_s"] >= PLAN.start.total_s - 60
    # More than enough after half an hour: what was refused was refused before.
    assert day.minutes[-1]["ready"] >= 9
    assert day.minutes[-1]["refused"] == 0
    assert sum(minute["refused"] for minute in day.minutes) > 0


def test_no_more_nodes_are_paid_for_than_allowed() -> None:
    day = live(peak_pages_per_s=1000, spot_percent=0)
    assert max(minute["present"] for minute in day.minutes) == 20
    assert day.refused > day.served


def test_lost_spot_nodes_are_replaced_and_their_pages_finished() -> None:
    calm = live(peak_pages_per_s=90, seconds=7200)
    day = live(peak_pages_per_s=90, seconds=7200, mass_loss_hour=1.0, mass_loss_share=1.0)
    assert day.spot_losses > calm.spot_losses
    assert day.lost == 0
    before, after = day.minutes[58], day.minutes[61]
    assert after["ready"] < before["ready"]
    assert day.minutes[-1]["ready"] >= 9


def test_the_wave_is_highest_at_two_in_the_afternoon() -> None:
    import random

    load = draw_load(make_scenario(night_share=0.2, peak_pages_per_s=100), random.Random(1))
    assert load.pages_per_s(14 * 3600) == pytest.approx(100)
    assert load.pages_per_s(2 * 3600) == pytest.approx(20)
    bursts = draw_load(make_scenario(bursts=3, burst_factor=2.0), random.Random(1))
    assert len(bursts.bursts_at_s) == 3
    assert bursts.pages_per_s(bursts.bursts_at_s[0]) == pytest.approx(80)
    assert all(0 <= moment < DAY_S for moment in bursts.bursts_at_s)


def test_money_is_instances_disks_balancer_and_what_is_always_there() -> None:
    day = Day(served=1_000_000, node_s=7200.0, spot_node_s=3600.0)
    prices = PLAN.prices
    expected = (
        prices.worker_usd.value * (1 + prices.spot_share_of_price.value)
        + prices.disk_usd.value * 2
        + prices.capacity_unit_usd.value * 1_000_000 * prices.gb_per_page.value
        + prices.fixed_usd.value
    )
    assert add_up(prices, day, 3600) == pytest.approx(expected)


def test_a_scenario_changes_speeds() -> None:
    node = adapt_node(NODE, make_scenario(gpu_speed=2.0))
    assert node.gpu_speed.value == 2.0
    assert node.core_speed == NODE.core_speed


def test_quantiles_count_weights() -> None:
    assert weighted_quantile([1.0, 2.0], [9.0, 1.0], 0.5) == 1.0
    assert weighted_quantile([2.0, 1.0], [9.0, 1.0], 0.5) == 2.0
    assert weighted_quantile([], [], 0.5) == 0.0

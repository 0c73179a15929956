"""Reading counters, and what remains of a process's time."""

import sys

import pytest

from paths import ROOT

sys.path.insert(0, str(ROOT / "tests" / "bench"))

from breakdown import Counters, ProcessTime, break_down, parse_counters
from rounds import Round, compare_rates, summarize

METRICS = """
# TYPE ray_ocr_stage_items_total counter
ray_ocr_stage_items_total{stage="detection",WorkerId="a"} 5.0
ray_ocr_stage_items_total{stage="detection",WorkerId="b"} 2.0
ray_ocr_stage_items_total{stage="recognition",WorkerId="c"} 70.0
# TYPE ray_ocr_stage_network_cpu_seconds_total counter
ray_ocr_stage_network_cpu_seconds_total{stage="detection",WorkerId="a"} 1.5
ray_ocr_stage_network_cpu_seconds_total{stage="recognition",WorkerId="c"} 3.0
# TYPE ray_ocr_stage_worker_cpu_seconds_total counter
ray_ocr_stage_worker_cpu_seconds_total{stage="recognition",WorkerId="c"} 4.0
# TYPE ray_other gauge
ray_other{stage="detection"} 99.0
"""


def test_counters_are_summed_over_replicas() -> None:
    """Pages are what the detector answered."""
    assert parse_counters(METRICS) == Counters(pages=7.0, network_cpu_s=4.5, worker_cpu_s=4.0)


def test_every_second_has_one_place() -> None:
    """The parts add up to what all processes took, also those that are new or have changed their titles."""
    before = {
        1: ProcessTime("ray::ServeReplica:ocr:Detection", 1.0),
        2: ProcessTime("ray::ServeController.listen_for_change", 5.0),
    }
    after = {
        1: ProcessTime("ray::ServeReplica:ocr:Detection.submit", 4.0),
        2: ProcessTime("ray::ServeController", 6.0),
        3: ProcessTime("ray::ServeReplica:ocr:Ingress", 0.5),
    }
    parts = break_down(Counters(0, 1.0, 1.5), Counters(10, 3.0, 4.0), before, after)
    assert parts.networks == pytest.approx(0.2)
    assert parts.pre_and_post == pytest.approx(0.05)
    assert parts.replicas == pytest.approx(0.05)
    assert parts.ingress == pytest.approx(0.05)
    assert parts.ray == pytest.approx(0.1)
    assert parts.outside_networks == pytest.approx(1 - 0.2 / 0.45)


def test_ratios_are_taken_round_by_round() -> None:
    """A minute in which the machine was busy hits both sides."""
    ours = [Round([1.0] * 4, 2.0, 1.0, 10.0), Round([1.0] * 4, 4.0, 1.0, 20.0)]
    theirs = [Round([1.0] * 4, 4.0, 1.0, 0.0), Round([1.0] * 4, 4.0, 1.0, 0.0)]
    assert compare_rates(ours, theirs) == (1.5, 1.0, 2.0)
    figures = summarize(ours)
    assert (figures.pages_per_s, figures.p50_ms, figures.memory_mib) == (1.5, 1000.0, 20.0)
    assert figures.cpu_s_per_page == 0.25

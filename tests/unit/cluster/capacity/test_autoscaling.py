import pytest

from capacity.autoscaling import ReplicaScaler, TargetTracking, WorkerCount, read_deployments


def make_scaler(**changed: float) -> ReplicaScaler:
    told = {"target": 8, "least": 1, "most": 10, "up_after_s": 15, "down_after_s": 600, **changed}
    return ReplicaScaler(**told)  # type: ignore[arg-type]


def observe(scaler: ReplicaScaler, ongoing: float, start_s: int, end_s: int) -> None:
    for now_s in range(start_s, end_s, 10):
        scaler.observe(ongoing, now_s)


def test_replicas_follow_calls_after_the_delay() -> None:
    scaler = make_scaler()
    observe(scaler, 40, 0, 20)
    assert scaler.wanted == 1
    observe(scaler, 40, 20, 40)
    assert scaler.wanted == 5


def test_a_short_burst_changes_nothing() -> None:
    scaler = make_scaler()
    scaler.observe(20, 0)
    observe(scaler, 0, 10, 100)
    assert scaler.wanted == 1


def test_replicas_are_taken_away_only_after_the_long_delay() -> None:
    scaler = make_scaler()
    observe(scaler, 40, 0, 40)
    observe(scaler, 1, 40, 600)
    assert scaler.wanted == 5
    observe(scaler, 1, 600, 800)
    assert scaler.wanted == 1


def test_a_factor_goes_part_of_the_way() -> None:
    scaler = make_scaler(up_factor=0.5)
    observe(scaler, 40, 0, 30)
    assert scaler.wanted == 3


def test_the_bounds_hold() -> None:
    scaler = make_scaler()
    observe(scaler, 10_000, 0, 100)
    assert scaler.wanted == 10


def test_workers_are_asked_for_once_however_long_they_take_to_start() -> None:
    tracking = TargetTracking(2, 10, out_cooldown_s=60, in_cooldown_s=900)
    for minute in range(20):
        tracking.observe(5, minute * 60)
        # Three minutes over the target make the alarm.
        assert tracking.asked == (2 if minute < 2 else 5)


def test_workers_go_after_a_quarter_of_an_hour_under_the_target() -> None:
    tracking = TargetTracking(2, 10, out_cooldown_s=60, in_cooldown_s=900)
    for minute in range(3):
        tracking.observe(8, minute * 60)
    asked = []
    for minute in range(3, 40):
        tracking.observe(3, minute * 60)
        asked.append(tracking.asked)
    assert asked[:14] == [8] * 14
    assert asked[-1] == 3


def test_the_graph_of_the_cluster_fills_one_worker() -> None:
    deployments = read_deployments("gpu-t4")
    assert {part.name for part in deployments if part.autoscaling} == {
        "ingress",
        "renderer",
        "orientation",
        "detection",
        "recognition",
    }
    count = WorkerCount(deployments, cpus=4, gpus=1)
    one = {part.name: part.replicas for part in deployments}
    assert count(one) == 1
    assert count({**one, "detection": 3, "recognition": 6}) == pytest.approx(3, abs=1)

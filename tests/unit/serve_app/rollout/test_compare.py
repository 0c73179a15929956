"""What a change does to replicas, as the diff says it; `tests/serve/test_rollouts.py` holds Serve to it."""

import copy

import pytest

from serve_app.rollout.changes import DeploymentChange, LiveReplicas, Rollout
from serve_app.rollout.compare import compare_plans
from serve_app.rollout.options import Effect
from serve_app.rollout.plan import ClusterSize, plan_config
from serve_app.rollout.text import describe_rollout

from rollout_table import BASE, CHANGES, REPLICAS, Change, Config, set_app, set_options, set_overrides

SIZE = ClusterSize(cpus=8)
FOREIGN: Config = {"applications": [{"name": "other", "import_path": "shop.app:build"}]}


def compare(old: Config, new: Config, live: LiveReplicas | None = None) -> Rollout:
    plans = plan_config(old, SIZE), plan_config(new, SIZE)
    return compare_plans(*plans, live) if live else compare_plans(*plans)


def changes_of(rollout: Rollout, application: str = "ocr") -> dict[str, DeploymentChange]:
    (found,) = [one for one in rollout.applications if one.name == application]
    return {one.name: one for one in found.deployments}


def test_the_table_has_twenty_changes() -> None:
    assert len({change.name for change in CHANGES}) >= 20


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_each_change_of_the_table_does_what_it_should(change: Change) -> None:
    """The greatest effect, and of each deployment what happens and how many replicas stay."""
    rollout = compare(BASE, change.applied_to(BASE))
    assert rollout.effect is change.effect
    changes = changes_of(rollout)
    assert changes.keys() == REPLICAS.keys()
    if change.effect is Effect.REMOVE:
        assert {(one.effect, one.stopped) for one in changes.values()} == {
            (Effect.REMOVE, 1),
            (Effect.REMOVE, 2),
        }
        return
    found = {
        name: (one.effect, one.kept) for name, one in changes.items() if one.effect is not Effect.NOTHING
    }
    assert found == dict(change.expected)


def test_a_second_application_leaves_the_first_alone() -> None:
    change = next(change for change in CHANGES if change.effect is Effect.ADD)
    rollout = compare(BASE, change.applied_to(BASE))
    assert {one.effect for one in changes_of(rollout).values()} == {Effect.NOTHING}
    assert sum(one.started or 0 for one in changes_of(rollout, "canary").values()) == 5


def test_a_stage_that_the_new_args_leave_out_is_removed_and_a_new_one_is_added() -> None:
    layout = {"model": "picodet_lcnet_x1_0_fgd_layout_cdla"}
    with_layout = copy.deepcopy(BASE)
    set_overrides(layout=layout)(with_layout)
    assert changes_of(compare(BASE, with_layout))["Layout"].effect is Effect.ADD
    assert changes_of(compare(with_layout, BASE))["Layout"].effect is Effect.REMOVE


def test_replicas_are_counted_as_the_cluster_has_them() -> None:
    """Scaled by hand or by load since: the restart is of those that run."""
    new = copy.deepcopy(BASE)
    set_options("Detection", ray_actor_options={"num_cpus": 0.7})(new)
    live = LiveReplicas({"ocr": {**REPLICAS, "Detection": 5}})
    change = changes_of(compare(BASE, new, live))["Detection"]
    assert (change.stopped, change.started, change.at_a_time) == (5, 5, 1)


def test_of_ten_replicas_two_restart_at_a_time() -> None:
    old, new = copy.deepcopy(BASE), copy.deepcopy(BASE)
    for config, cpus in ((old, 0.1), (new, 0.2)):
        set_options("Detection", num_replicas=10, ray_actor_options={"num_cpus": cpus})(config)
    change = changes_of(compare(old, new))["Detection"]
    assert (change.stopped, change.at_a_time, change.surge) == (10, 2, 0)


def test_a_surge_says_how_much_room_it_needs() -> None:
    new = copy.deepcopy(BASE)
    set_options("Detection", max_surge_percent=50, ray_actor_options={"num_cpus": 0.5, "num_gpus": 0.25})(new)
    change = changes_of(compare(BASE, new))["Detection"]
    assert change.surge == 1
    assert change.notes == ("needs room for 1 more meanwhile (0.5 CPUs, 0.25 GPUs)",)


def test_a_surge_without_room_is_told_to_wait() -> None:
    """Serve would wait for ever for room that nobody makes."""
    new = copy.deepcopy(BASE)
    set_options("Detection", max_surge_percent=50, ray_actor_options={"num_cpus": 0.5})(new)
    for free, is_told in ((0.6, False), (0.4, True)):
        live = LiveReplicas({"ocr": REPLICAS}, {"num_cpus": free, "num_gpus": 0.0})
        notes = changes_of(compare(BASE, new, live))["Detection"].notes
        assert any("no such room" in note for note in notes) is is_told


def test_the_only_replica_of_a_stage_is_missed_while_it_restarts() -> None:
    new = copy.deepcopy(BASE)
    set_options("Renderer", ray_actor_options={"num_cpus": 0.5})(new)
    (note,) = changes_of(compare(BASE, new))["Renderer"].notes
    assert "calls wait" in note


def test_bounds_of_scaling_move_no_replica_that_is_within_them() -> None:
    old, new = copy.deepcopy(BASE), copy.deepcopy(BASE)
    set_options("Detection", autoscaling_config={"min_replicas": 1, "max_replicas": 4})(old)
    set_options("Detection", autoscaling_config={"min_replicas": 2, "max_replicas": 3})(new)
    for running, effect, after in ((3, Effect.LIVE, 3), (1, Effect.SCALE, 2), (4, Effect.SCALE, 3)):
        rollout = compare(old, new, LiveReplicas({"ocr": {**REPLICAS, "Detection": running}}))
        change = changes_of(rollout)["Detection"]
        assert (change.effect, change.after) == (effect, after)


def test_a_stage_that_nobody_has_asked_for_is_started_once_by_a_rollout_that_changes_it() -> None:
    """Serve goes back to `initial_replicas`: what cannot start fails the rollout."""
    old, new = copy.deepcopy(BASE), copy.deepcopy(BASE)
    scaling = {"min_replicas": 0, "initial_replicas": 1, "max_replicas": 1}
    set_options("Renderer", autoscaling_config=scaling)(old)
    set_options("Renderer", autoscaling_config=scaling, max_ongoing_requests=9)(new)
    asleep = LiveReplicas({"ocr": {**REPLICAS, "Renderer": 0}})
    change = changes_of(compare(old, new, asleep))["Renderer"]
    assert (change.effect, change.before, change.after) == (Effect.SCALE, 0, 1)
    set_overrides(limits={"max_queue_s": 9.0})(new)
    change = changes_of(compare(old, new, asleep))["Renderer"]
    assert (change.effect, change.before, change.after) == (Effect.RESTART, 0, 1)
    assert compare(old, old, asleep).effect is Effect.NOTHING


def test_the_same_value_in_other_words_restarts_all_and_the_diff_says_why() -> None:
    """Serve compares the text of the arguments: 20 and 20.0 are two versions."""
    old, new = copy.deepcopy(BASE), copy.deepcopy(BASE)
    set_overrides(limits={"max_queue_s": 20.0})(old)
    set_overrides(limits={"max_queue_s": 20})(new)
    rollout = compare(old, new)
    assert rollout.effect is Effect.RESTART
    assert "20.0 and 20 are the same value; Serve compares their text" in describe_rollout(rollout)


def test_the_order_of_keys_is_no_change() -> None:
    new = copy.deepcopy(BASE)
    args = new["applications"][0]["args"]
    set_app(args=dict(reversed(args.items())))(new)
    assert compare(BASE, new).effect is Effect.NOTHING


def test_changes_that_serve_ignores_are_told() -> None:
    new = copy.deepcopy(BASE) | {"http_options": {"port": 9000}, "proxy_location": "HeadOnly"}
    rollout = compare(BASE, new)
    assert rollout.effect is Effect.NOTHING
    assert {note.partition(":")[0] for note in rollout.notes} == {"proxy_location", "http_options.port"}


def test_target_capacity_scales_every_deployment() -> None:
    rollout = compare(BASE, {**BASE, "target_capacity": 50})
    assert {name: one.after for name, one in changes_of(rollout).items()} == dict.fromkeys(REPLICAS, 1)


def test_of_code_that_is_not_ours_only_what_the_config_states_is_judged() -> None:
    new = copy.deepcopy(FOREIGN)
    set_options("Cart", ray_actor_options={"num_cpus": 2})(new)
    rollout = compare(FOREIGN, new, LiveReplicas({"other": {"Cart": 3, "Till": 1}}))
    changes = changes_of(rollout, "other")
    assert (changes["Cart"].effect, changes["Cart"].stopped) == (Effect.RESTART, 3)
    assert changes["Till"].effect is Effect.NOTHING

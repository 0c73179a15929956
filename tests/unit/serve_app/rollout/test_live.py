"""What a running Serve says about itself."""

import copy
from typing import Any

from serve_app.rollout.compare import compare_plans
from serve_app.rollout.live import (
    count_live,
    list_programs,
    plan_live,
    read_config_of,
    read_progress,
    without_programs,
)
from serve_app.rollout.options import Effect
from serve_app.rollout.plan import ClusterSize, plan_config

from rollout_table import BASE, REPLICAS, set_options

SIZE = ClusterSize(8)


def details(config: Any = BASE["applications"][0], **application: Any) -> dict[str, Any]:
    deployments = {
        name: {
            "status": "HEALTHY",
            "target_num_replicas": count,
            "replicas": [{"replica_id": f"{name}{number}", "state": "RUNNING"} for number in range(count)],
        }
        for name, count in REPLICAS.items()
    }
    return {
        "proxy_location": "EveryNode",
        "http_options": {"host": "0.0.0.0", "port": 8000},
        "target_capacity": None,
        "applications": {
            "ocr": {
                "status": "RUNNING",
                "message": "",
                "deployed_app_config": config,
                "deployments": deployments,
                **application,
            }
        },
    }


def test_the_config_that_runs_is_no_change_to_itself() -> None:
    """Settings of Serve that the dashboard does not tell are no difference either."""
    config = {**BASE, "http_options": {"host": "0.0.0.0", "port": 8000, "request_timeout_s": 330}}
    rollout = compare_plans(plan_live(details(), SIZE), plan_config(config, SIZE), count_live(details()))
    assert (rollout.effect, rollout.notes) == (Effect.NOTHING, ())


def test_another_port_than_the_running_one_is_told() -> None:
    rollout = compare_plans(
        plan_live(details(), SIZE), plan_config({**BASE, "http_options": {"port": 9000}}, SIZE)
    )
    assert [note.partition(":")[0] for note in rollout.notes] == ["http_options.port"]


def test_what_runs_can_be_put_again() -> None:
    config = read_config_of(details())
    assert config["applications"] == BASE["applications"]
    assert (config["proxy_location"], config["http_options"]["port"]) == ("EveryNode", 8000)
    assert "target_capacity" not in config


def test_what_the_replicas_book_is_not_free() -> None:
    live = details()
    detection = live["applications"]["ocr"]["deployments"]["Detection"]
    detection["deployment_config"] = {"ray_actor_options": {"num_cpus": 1.5, "num_gpus": 0.25}}
    assert count_live(live, ClusterSize(8, 1.0)).free == {"num_cpus": 5.0, "num_gpus": 0.5}


def test_an_application_of_a_program_is_left_alone_unless_the_config_takes_its_name() -> None:
    live = details(None)
    assert list_programs(live) == {"ocr"}
    assert read_config_of(live)["applications"] == []
    plan = plan_live(live, SIZE)
    assert without_programs(plan, list_programs(live), frozenset()).applications == {}
    taken = without_programs(plan, list_programs(live), frozenset({"ocr"}))
    rollout = compare_plans(taken, plan_config(BASE, SIZE), count_live(live))
    (application,) = rollout.applications
    assert {one.effect for one in application.deployments} == {Effect.RESTART}


def test_a_failed_rollout_whose_config_is_not_valid_here_does_not_stop_the_next() -> None:
    failed = copy.deepcopy(BASE)
    set_options("Detecton", num_replicas=2)(failed)
    live = details(failed["applications"][0], status="DEPLOY_FAILED", deployments={})
    rollout = compare_plans(plan_live(live, SIZE), plan_config(BASE, SIZE), count_live(live))
    assert rollout.effect is Effect.RESTART


def test_progress_names_who_is_waited_for() -> None:
    live = details(status="DEPLOYING")
    detection = live["applications"]["ocr"]["deployments"]["Detection"]
    detection |= {"status": "UPDATING", "replicas": [{"state": "STARTING"}, {"state": "RUNNING"}]}
    (progress,) = read_progress(live)
    assert (progress.is_busy, progress.is_running, progress.waiting) == (True, False, ("Detection 1/2",))
    (progress,) = read_progress(details())
    assert (progress.is_busy, progress.is_running, progress.waiting) == (False, True, ())

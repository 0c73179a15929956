"""What a config stands for on a cluster of some size."""

import copy

import pytest

from serve_app.rollout.plan import ClusterSize, plan_config
from serve_app.rollout.reading import ConfigFault

from rollout_table import BASE, Config, set_app, set_options, set_overrides


def plan(config: Config, cpus: int = 8, gpus: float = 0.0):
    return plan_config(config, ClusterSize(cpus, gpus)).applications["ocr"].deployments


def test_a_deployment_that_the_graph_has_not_is_refused_with_those_it_has() -> None:
    """Serve would take the config, fail, and show an application without deployments."""
    config = copy.deepcopy(BASE)
    set_options("Detecton", num_replicas=2)(config)
    with pytest.raises(ConfigFault, match="the graph has no 'Detecton'; it has Detection, Ingress"):
        plan(config)


def test_auto_goes_by_the_size_of_the_cluster() -> None:
    config: Config = {"applications": [{"name": "ocr", "import_path": "serve_app.app:build"}]}
    assert plan(config, cpus=6)["Recognition"].replicas == 6
    on_gpus = plan(config, cpus=6, gpus=1.0)["Recognition"]
    assert (on_gpus.replicas, on_gpus.options["ray_actor_options"]["num_gpus"]) == (2, 0.3)


def test_each_further_recogniser_is_a_deployment() -> None:
    config = copy.deepcopy(BASE)
    set_app(args={"profile": "cpu", "recognizers": ["korean_PP-OCRv5_mobile_rec"]})(config)
    assert {"Recognition", "Recognition-korean_PP-OCRv5_mobile_rec"} <= plan(config).keys()


def test_the_config_wins_over_the_code_option_by_option() -> None:
    config = copy.deepcopy(BASE)
    set_options("Detection", max_ongoing_requests=99, user_config={"max_batch_size": 3})(config)
    options = plan(config)["Detection"].options
    assert (options["max_ongoing_requests"], options["num_replicas"]) == (99, 2)
    assert options["user_config"]["max_batch_size"] == 3
    # What the code says and the config does not: replicas keep those knobs.
    assert options["user_config"]["background_quiet_s"] == 1.0


def test_scaling_starts_with_its_least_or_initial_number() -> None:
    config = copy.deepcopy(BASE)
    set_options("Detection", autoscaling_config={"min_replicas": 1, "max_replicas": 9})(config)
    set_options("Recognition", autoscaling_config={"initial_replicas": 4, "max_replicas": 9})(config)
    set_options("Renderer", num_replicas="auto")(config)
    planned = plan(config)
    assert [planned[name].replicas for name in ("Detection", "Recognition", "Renderer")] == [1, 4, 1]


def test_a_profile_may_let_a_stage_start_its_successor_first() -> None:
    config = copy.deepcopy(BASE)
    set_overrides(renderer={"replicas": {"max_surge_percent": 100}})(config)
    planned = plan(config)
    assert [planned[name].options["max_surge_percent"] for name in ("Renderer", "Detection")] == [100, 0]

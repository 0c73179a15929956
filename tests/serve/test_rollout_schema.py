"""What we say about Ray Serve's config, held against the installed Ray: a new version may know more."""

from collections.abc import Iterator
from enum import Enum

import pytest
from ray.runtime_env import RuntimeEnv
from ray.serve import config, schema
from ray.serve._private.config import DeploymentConfig, ReplicaConfig
from ray.serve._private.deploy_utils import get_app_code_version
from ray.serve._private.utils import DeploymentOptionUpdateType
from ray.serve.config import AutoscalingConfig

from configs.profile import AppArgs, choose_recognizers, load_profile
from serve_app.app import bind_graph
from serve_app.graph_options import plan_deployments
from serve_app.rollout.keys import CONFIG, Level
from serve_app.rollout.options import CODE_KEYS, Effect, as_text, effect_of, override, version_of

from rollout_table import BASE, CHANGES, Change

pytestmark = pytest.mark.serve

RECOGNIZERS = ("korean_PP-OCRv5_mobile_rec",)


def levels(level: Level = CONFIG) -> Iterator[Level]:
    yield level
    for below in level.below.values():
        yield from levels(below)


@pytest.mark.parametrize(
    "level", {level.schema: level for level in levels()}.values(), ids=lambda one: one.schema
)
def test_the_keys_of_each_level_are_those_of_ray(level: Level) -> None:
    if level.schema == "RuntimeEnv":
        assert set(level.keys) == {name for name in RuntimeEnv.known_fields if not name.startswith("_")}
        return
    model = getattr(schema, level.schema, None) or getattr(config, level.schema)
    assert set(level.keys) == set(model.model_fields)


def test_the_effects_of_options_are_those_of_ray() -> None:
    """What Ray calls heavy restarts replicas; what it reconfigures or broadcasts does not."""
    heavy = {
        name
        for name, field in DeploymentConfig.model_fields.items()
        if isinstance(field.json_schema_extra, dict)
        and field.json_schema_extra.get("update_type") == DeploymentOptionUpdateType.HeavyWeight
    }
    # The version is what we make of code keys; actors of a deployment are among them.
    assert heavy == {"version", "gang_scheduling_config", "deployment_actors"}
    known = set(schema.DeploymentSchema.model_fields) - {"name"}
    restarting = {name for name in known if effect_of(name) is Effect.RESTART}
    in_replica_config = {name for name in known if name in ReplicaConfig.create.__annotations__}
    assert restarting == in_replica_config | {"gang_scheduling_config"}


@pytest.mark.parametrize(
    "change", [one for one in CHANGES if one.effect is not Effect.REMOVE], ids=lambda one: one.name
)
def test_the_version_of_the_code_changes_when_ray_s_does(change: Change) -> None:
    old, new = BASE["applications"][0], change.applied_to(BASE)["applications"][0]
    ours = as_text(version_of(old)) != as_text(version_of(new))
    versions = [get_app_code_version(schema.ServeApplicationSchema.model_validate(one)) for one in (old, new)]
    assert ours is (versions[0] != versions[1])
    assert set(CODE_KEYS) <= version_of(old).keys()


def test_defaults_are_those_of_ray() -> None:
    ray = DeploymentConfig()
    for name, value in override({}, {}).items():
        theirs = getattr(ray, name, None)
        if name not in ("ray_actor_options", "backpressure_config", "request_router_config"):
            assert value == (theirs.value if isinstance(theirs, Enum) else theirs), name


@pytest.mark.parametrize("profile", ["cpu", "gpu-t4"])
def test_the_graph_is_bound_with_the_options_that_are_planned(profile: str) -> None:
    """Deployment by deployment, of the real application."""
    args = AppArgs(profile=profile, recognizers=RECOGNIZERS)
    graph = load_profile(args, 0.0), choose_recognizers(args), 4
    planned = plan_deployments(*graph)
    bound = {}
    todo = [bind_graph(*graph)._bound_deployment]
    while todo:
        deployment = todo.pop()
        bound[deployment.name] = deployment
        todo += list(_find_bound((deployment.init_args, deployment.init_kwargs)))
    assert bound.keys() == planned.keys()
    for name, options in planned.items():
        for option, value in options.items():
            found = getattr(bound[name], option, None)
            if found is None:
                found = getattr(bound[name]._deployment_config, option)
            wanted = AutoscalingConfig(**value) if option == "autoscaling_config" else value
            assert found == wanted, (name, option)


def _find_bound(values: object) -> Iterator[object]:
    if hasattr(values, "_bound_deployment"):
        yield values._bound_deployment
    elif isinstance(values, dict):
        for value in values.values():
            yield from _find_bound(value)
    elif isinstance(values, (tuple, list)):
        for value in values:
            yield from _find_bound(value)

"""What Ray Serve 2.60 does to replicas when an option changes, and which options a deployment ends up with.

Read in `ray/serve/_private/` (`config.py`: the `update_type` of each field; `version.py`:
`requires_actor_restart`; `deploy_utils.py`: `get_app_code_version`; `application_state.py`:
`override_deployment_info`), and checked on a live cluster by `tests/serve/test_rollout_diff.py`.
"""

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from serve_app.graph_options import Options


class Effect(StrEnum):
    """What a change does to a deployment, from least to most."""

    NOTHING = "nothing"
    # Replicas stay; the controller, the routers or `reconfigure` take the new value.
    LIVE = "live update"
    # Replicas stay; some are added or stopped.
    SCALE = "scale"
    RESTART = "restart"
    ADD = "add"
    REMOVE = "remove"


# Keys from which Serve makes the version of an application's code: a change restarts all of it.
CODE_KEYS = ("import_path", "runtime_env", "args", "autoscaling_policy")
# Options of deployments that are part of that version, too: a change in one deployment restarts all of them.
_CODE_OPTIONS = ("autoscaling_config", "request_router_config", "deployment_actors")
_RESTARTING = frozenset(
    {
        "ray_actor_options",
        "placement_group_bundles",
        "placement_group_strategy",
        "placement_group_bundle_label_selector",
        "max_replicas_per_node",
        "gang_scheduling_config",
    }
)
_SCALING = frozenset({"num_replicas", "autoscaling_config"})
# What Serve takes where neither the code nor the config says anything.
_DEFAULTS: Mapping[str, Any] = {
    "num_replicas": 1,
    "max_ongoing_requests": 5,
    "max_queued_requests": -1,
    "backpressure_config": {"status_code": 503, "retry_after_s": None},
    "user_config": None,
    "autoscaling_config": None,
    "graceful_shutdown_wait_loop_s": 2.0,
    "graceful_shutdown_timeout_s": 20.0,
    "health_check_period_s": 10.0,
    "health_check_timeout_s": 30.0,
    "ray_actor_options": {"num_cpus": 1},
    "placement_group_bundles": None,
    "placement_group_strategy": None,
    "placement_group_bundle_label_selector": None,
    "max_replicas_per_node": None,
    "logging_config": None,
    "request_router_config": None,
    "gang_scheduling_config": None,
    "deployment_actors": None,
    "rolling_update_percentage": 0.2,
    "max_surge_percent": 0,
}
_AMOUNTS = ("num_cpus", "num_gpus", "memory")
# `num_replicas: auto` stands for these.
_AUTO = {"min_replicas": 1, "max_replicas": 100, "target_ongoing_requests": 2}


def effect_of(option: str) -> Effect:
    """What a change of this option of a deployment does, the code's version left aside."""
    if option in _RESTARTING:
        return Effect.RESTART
    return Effect.SCALE if option in _SCALING else Effect.LIVE


def version_of(application: Mapping[str, Any]) -> dict[str, Any]:
    """What Serve hashes into the version of an application's code."""
    defaults: dict[str, Any] = {"runtime_env": {}, "args": {}}
    deployments = application.get("deployments") or []
    version = {key: application.get(key, defaults.get(key)) for key in CODE_KEYS}
    for option in _CODE_OPTIONS:
        stated = [one[option] for one in deployments if isinstance(one.get(option), (dict, list))]
        # Of scaling only the policy counts, yet whoever states any scaling has a place in the list.
        version[f"deployments' {option}"] = (
            [one.get("policy") for one in stated] if option == "autoscaling_config" else stated
        )
    return version


def as_text(value: object) -> str:
    """A value as Serve compares it: the text of its JSON, in which 20 and 20.0 differ."""
    return json.dumps(value, sort_keys=True, default=str)


def override(code: Mapping[str, Any] | None, config: Mapping[str, Any]) -> Options:
    """The options of a deployment: the code's own under the config's.

    Without ``code`` (an application that is not ours) only what the config states is known.
    """
    stated = {key: value for key, value in config.items() if key != "name"}
    if stated.get("num_replicas") == "auto":
        stated["autoscaling_config"] = {**_AUTO, **(stated.get("autoscaling_config") or {})}
    if isinstance(stated.get("ray_actor_options"), dict):
        stated["ray_actor_options"] = _normalize(stated["ray_actor_options"])
    if code is not None and isinstance(code.get("user_config"), dict) and stated.get("user_config"):
        # Serve replaces it; our replicas take it as changes of the knobs that they were built with.
        stated["user_config"] = {**code["user_config"], **stated["user_config"]}
    merged = stated if code is None else {**_DEFAULTS, **code, **stated}
    if merged.get("autoscaling_config"):
        # The number follows the load, whatever the code or the config says about it.
        merged["num_replicas"] = None
    return merged


def count_replicas(options: Mapping[str, Any], target_capacity: float | None) -> int | None:
    """How many replicas these options start with, None where only the code knows.

    ``target_capacity`` is the percentage of it that the config asks for, as Serve rounds it.
    """
    scaling = options.get("autoscaling_config")
    if scaling:
        count = scaling.get("initial_replicas") or scaling.get("min_replicas", 1)
    else:
        count = options.get("num_replicas")
    if count is None or target_capacity is None or count == 0:
        return count
    return 0 if target_capacity == 0 else max(1, int(count * target_capacity / 100 + 0.5))


def list_differences(old: object, new: object, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Path, old and new value of each leaf that differs as text; None for one that is not there."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}, key=str):
            yield from list_differences(old.get(key), new.get(key), f"{place}.{key}".lstrip("."))
    elif as_text(old) != as_text(new):
        yield place, old, new


def _normalize(options: Mapping[str, Any]) -> Options:
    """Actor options as Serve keeps them: a whole number of CPUs that somebody states becomes a float."""
    kept = {
        key: float(value) if key in _AMOUNTS and isinstance(value, int) else value
        for key, value in options.items()
    }
    return kept if kept.get("num_cpus") is not None else {**kept, "num_cpus": 1}

"""What a config stands for on a cluster: its applications, their deployments, and the options of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from configs.profile import AppArgs, choose_recognizers, load_profile
from serve_app.graph_options import Options, plan_deployments
from serve_app.rollout.options import count_replicas, override, version_of
from serve_app.rollout.reading import OWN_IMPORT_PATHS, Config, ConfigFault


@dataclass(frozen=True)
class ClusterSize:
    """What `profile: auto` and `num_replicas: auto` go by."""

    cpus: int
    gpus: float = 0.0


@dataclass(frozen=True)
class PlannedDeployment:
    """A deployment as the config wants it; ``replicas`` is None where only the code knows."""

    options: Options
    replicas: int | None


@dataclass(frozen=True)
class PlannedApplication:
    """An application as the config wants it.

    ``version`` is what Serve makes the code's version from; ``settings`` are the keys that change in place.
    ``is_known`` says that ``deployments`` are all of them, with the options that the code gives them.
    """

    name: str
    version: Mapping[str, Any]
    settings: Mapping[str, Any]
    deployments: Mapping[str, PlannedDeployment]
    is_known: bool


@dataclass(frozen=True)
class Plan:
    """All applications of a config, and what it says about Serve itself.

    ``is_live``: it was read from a cluster, which tells only some of Serve's own settings.
    """

    applications: Mapping[str, PlannedApplication]
    serve: Mapping[str, Any] = field(default_factory=dict)
    is_live: bool = False


def plan_config(config: Config, cluster: ClusterSize, source: str = "config") -> Plan:
    """The plan of a config that `check_config` has passed.

    Raises `ConfigFault` for options of a deployment that the graph does not have: Serve would fail to deploy.
    """
    serve = {key: value for key, value in config.items() if key != "applications"}
    capacity = config.get("target_capacity")
    planned = [_plan_application(one, cluster, capacity, source, config) for one in config["applications"]]
    return Plan({one.name: one for one in planned}, serve)


def _plan_application(
    application: Mapping[str, Any], cluster: ClusterSize, capacity: float | None, source: str, config: Config
) -> PlannedApplication:
    name = application.get("name", "default")
    code = _plan_graph(application, cluster)
    stated = {one["name"]: one for one in application.get("deployments") or []}
    if code is not None and (strangers := sorted(stated.keys() - code.keys())):
        known = ", ".join(sorted(code))
        raise ConfigFault(
            source,
            [
                f"applications[{name}].deployments: the graph has no {stranger!r}; it has {known}"
                for stranger in strangers
            ],
        )
    # The logging of all applications is that of those which say nothing.
    logging = application.get("logging_config") or config.get("logging_config")
    deployments = {}
    for deployment in code if code is not None else stated:
        config_options = {**({"logging_config": logging} if logging else {}), **stated.get(deployment, {})}
        options = override(None if code is None else code[deployment], config_options)
        deployments[deployment] = PlannedDeployment(options, count_replicas(options, capacity))
    settings = {
        "route_prefix": application.get("route_prefix", "/"),
        "logging_config": logging,
        "external_scaler_enabled": application.get("external_scaler_enabled", False),
    }
    return PlannedApplication(name, version_of(application), settings, deployments, code is not None)


def _plan_graph(application: Mapping[str, Any], cluster: ClusterSize) -> dict[str, Options] | None:
    """The code's own options of our graph; None for code that is not ours."""
    if application.get("import_path") not in OWN_IMPORT_PATHS:
        return None
    args = AppArgs.model_validate(application.get("args") or {})
    return plan_deployments(load_profile(args, cluster.gpus), choose_recognizers(args), cluster.cpus)

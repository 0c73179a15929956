"""What a running Serve says about itself: the config that it works towards, its replicas, how far it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from serve_app.rollout.changes import LiveReplicas
from serve_app.rollout.plan import ClusterSize, Plan, PlannedApplication, PlannedDeployment, plan_config
from serve_app.rollout.reading import Config, ConfigFault

_FAILED = ("DEPLOY_FAILED", "UNHEALTHY")
_BUSY = ("DEPLOYING", "DELETING", "NOT_STARTED")
_SERVE_KEYS = ("proxy_location", "http_options", "target_capacity")


@dataclass(frozen=True)
class Progress:
    """How far an application is."""

    name: str
    status: str
    message: str
    # Deployments that are not there yet: what `serve status` calls them, replicas that run, replicas wanted.
    waiting: tuple[str, ...]

    @property
    def is_busy(self) -> bool:
        """Serve is still changing it."""
        return self.status in _BUSY

    @property
    def has_failed(self) -> bool:
        """Serve has given up, or replicas fail their health checks."""
        return self.status in _FAILED

    @property
    def is_running(self) -> bool:
        """Every deployment has the replicas that it should have, of the version that it should be."""
        return self.status == "RUNNING" and not self.waiting


def read_config_of(details: Mapping[str, Any]) -> Config:
    """The config that brought Serve where it is, without what programs started (`serve.run`)."""
    serve = {key: details[key] for key in _SERVE_KEYS if details.get(key) is not None}
    applications = [
        application["deployed_app_config"]
        for application in details.get("applications", {}).values()
        if application.get("deployed_app_config") and application.get("status") != "DELETING"
    ]
    return {**serve, "applications": applications}


def plan_live(details: Mapping[str, Any], cluster: ClusterSize) -> Plan:
    """The plan that a running Serve follows, those of programs included."""
    config = read_config_of(details)
    planned: dict[str, PlannedApplication] = {}
    for one in config["applications"]:
        alone = {**config, "applications": [one]}
        try:
            planned |= plan_config(alone, cluster).applications
        except (ConfigFault, ValueError):
            # What was deployed there is not valid here: another version, or a rollout that failed.
            planned |= plan_config(alone | {"applications": [_make_foreign(one)]}, cluster).applications
    serve = {key: value for key, value in config.items() if key != "applications"}
    return Plan({**planned, **_plan_programs(details)}, serve, is_live=True)


def count_live(details: Mapping[str, Any], cluster: ClusterSize | None = None) -> LiveReplicas:
    """How many replicas each deployment should have now, and what a cluster of this size has left."""
    counts = {
        name: {
            deployment: one.get("target_num_replicas", len(one.get("replicas", [])))
            for deployment, one in application.get("deployments", {}).items()
        }
        for name, application in details.get("applications", {}).items()
    }
    return LiveReplicas(counts, _find_room(details, cluster) if cluster else None)


def _find_room(details: Mapping[str, Any], cluster: ClusterSize) -> dict[str, float]:
    free = {"num_cpus": float(cluster.cpus), "num_gpus": cluster.gpus}
    for application in details.get("applications", {}).values():
        for one in application.get("deployments", {}).values():
            options = one.get("deployment_config", {}).get("ray_actor_options") or {}
            for unit in free:
                free[unit] -= len(one.get("replicas", [])) * float(options.get(unit) or 0.0)
    return free


def list_programs(details: Mapping[str, Any]) -> frozenset[str]:
    """Applications that a program started: no config can bring them back."""
    return frozenset(
        name
        for name, application in details.get("applications", {}).items()
        if not application.get("deployed_app_config")
    )


def read_progress(details: Mapping[str, Any]) -> list[Progress]:
    """How far each application is, by name."""
    return [
        Progress(name, one.get("status", "?"), one.get("message", ""), tuple(_list_waiting(one)))
        for name, one in sorted(details.get("applications", {}).items())
    ]


def _list_waiting(application: Mapping[str, Any]) -> Iterator[str]:
    for name, one in application.get("deployments", {}).items():
        states = [replica.get("state") for replica in one.get("replicas", [])]
        wanted, running = one.get("target_num_replicas", 0), states.count("RUNNING")
        is_settled = one.get("status") in ("HEALTHY", "UPSCALING", "DOWNSCALING")
        # Of an application that scales, the number may be on its way without end.
        if not is_settled or (one.get("status") == "HEALTHY" and running < wanted):
            yield f"{name} {running}/{wanted}"


def _plan_programs(details: Mapping[str, Any]) -> dict[str, PlannedApplication]:
    applications = details.get("applications", {})
    return {
        name: PlannedApplication(
            name,
            {"import_path": "a program (serve.run)"},
            {"route_prefix": applications[name].get("route_prefix")},
            {
                deployment: PlannedDeployment({}, one.get("target_num_replicas"))
                for deployment, one in applications[name].get("deployments", {}).items()
            },
            is_known=False,
        )
        for name in list_programs(details)
    }


def _make_foreign(application: Config) -> Config:
    return {**application, "import_path": f"{application.get('import_path')} (not valid here)"}


def without_programs(plan: Plan, programs: frozenset[str], keep: frozenset[str]) -> Plan:
    """A plan without applications of programs that a config does not name: Serve leaves those alone."""
    applications = {
        name: one for name, one in plan.applications.items() if name not in programs or name in keep
    }
    return replace(plan, applications=applications)

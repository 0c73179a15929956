"""Changes of a Serve config and what each of them does; unit tests and live ones look at the same table."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from serve_app.rollout.options import Effect

Config = dict[str, Any]
# The graph without stages that these tests do not need; two replicas of whatever a request needs most.
ARGS: Config = {
    "profile": "cpu",
    "engine": "fake",
    "overrides": {
        "ingress": {"replicas": {"num_replicas": 2, "max_ongoing_requests": 512}},
        "detection": {"replicas": {"num_replicas": 2, "num_cpus": 0.4}},
        "recognition": {"replicas": {"num_replicas": 2, "num_cpus": 0.5}},
        # Always there, so that its replica can be counted.
        "renderer": {"replicas": {"scale_to_zero_after_s": None}},
        "layout": None,
        "table": None,
        "documents": None,
        "extraction": None,
        "jobs": None,
    },
}
BASE: Config = {
    "proxy_location": "EveryNode",
    "applications": [
        {
            "name": "ocr",
            "route_prefix": "/",
            "import_path": "serve_app.app:build",
            "args": ARGS,
            "deployments": [],
        }
    ],
}
REPLICAS = {"Ingress": 2, "Renderer": 1, "Orientation": 1, "Detection": 2, "Recognition": 2}
ALL = (Effect.RESTART, 0)
CANARY_BATCH = 3


@dataclass(frozen=True)
class Change:
    """``expected``: of each deployment that is touched, what happens and how many replicas stay."""

    name: str
    make: Callable[[Config], None]
    effect: Effect
    expected: Mapping[str, tuple[Effect, int]] = field(default_factory=dict)

    def applied_to(self, config: Config) -> Config:
        """A copy of the config with this change."""
        changed = copy.deepcopy(config)
        self.make(changed)
        return changed


def set_app(**settings: Any) -> Callable[[Config], None]:
    """Set keys of the first application."""
    return lambda config: config["applications"][0].update(settings)


def set_options(name: str, **options: Any) -> Callable[[Config], None]:
    """Set options of one deployment."""

    def make(config: Config) -> None:
        deployments = config["applications"][0].setdefault("deployments", [])
        found = next((one for one in deployments if one["name"] == name), None)
        if found is None:
            deployments.append(found := {"name": name})
        found.update(options)

    return make


def set_overrides(**overrides: Any) -> Callable[[Config], None]:
    """Set keys under `args.overrides`."""
    return lambda config: config["applications"][0]["args"]["overrides"].update(overrides)


def add_application(config: Config) -> None:
    """A second application beside the first, as small as it can be."""
    second = copy.deepcopy(config["applications"][0]) | {
        "name": "canary",
        "route_prefix": "/canary",
        "deployments": [],
    }
    for stage in ("ingress", "detection", "recognition"):
        second["args"]["overrides"][stage] = {"replicas": {"num_replicas": 1, "num_cpus": 0.1}}
    # By which a test tells the two apart.
    second["args"]["overrides"]["detection"]["knobs"] = {"max_batch_size": CANARY_BATCH}
    config["applications"].append(second)


def remove_first(config: Config) -> None:
    """The first application goes."""
    del config["applications"][0]


RESTART, LIVE, SCALE, NOTHING = Effect.RESTART, Effect.LIVE, Effect.SCALE, Effect.NOTHING
WHOLE = dict.fromkeys(REPLICAS, ALL)
CHANGES = [
    Change("nothing", lambda config: None, NOTHING),
    Change("the code's own value", set_options("Detection", max_ongoing_requests=64), NOTHING),
    Change(
        "user_config",
        set_options("Detection", user_config={"max_batch_size": 4}),
        LIVE,
        {"Detection": (LIVE, 2)},
    ),
    Change(
        "max_ongoing_requests",
        set_options("Recognition", max_ongoing_requests=48),
        LIVE,
        {"Recognition": (LIVE, 2)},
    ),
    Change(
        "max_queued_requests", set_options("Renderer", max_queued_requests=99), LIVE, {"Renderer": (LIVE, 1)}
    ),
    Change(
        "graceful_shutdown_timeout_s",
        set_options("Detection", graceful_shutdown_timeout_s=12),
        LIVE,
        {"Detection": (LIVE, 2)},
    ),
    Change(
        "health checks", set_options("Detection", health_check_period_s=7), LIVE, {"Detection": (LIVE, 2)}
    ),
    Change(
        "max_surge_percent", set_options("Detection", max_surge_percent=50), LIVE, {"Detection": (LIVE, 2)}
    ),
    Change(
        "one replica more", set_options("Recognition", num_replicas=3), SCALE, {"Recognition": (SCALE, 2)}
    ),
    Change(
        "one replica less", set_options("Recognition", num_replicas=1), SCALE, {"Recognition": (SCALE, 1)}
    ),
    Change(
        "logging of the application",
        set_app(logging_config={"log_level": "WARNING"}),
        LIVE,
        {name: (LIVE, count) for name, count in REPLICAS.items()},
    ),
    Change("route_prefix", set_app(route_prefix="/v2"), LIVE),
    Change(
        "ray_actor_options",
        set_options("Detection", ray_actor_options={"num_cpus": 0.3, "num_gpus": 0.0}),
        RESTART,
        {"Detection": ALL},
    ),
    Change(
        # The code says num_gpus: 0.0, the config says nothing about it: for Serve that is another value.
        "ray_actor_options without a key",
        set_options("Orientation", ray_actor_options={"num_cpus": 0.1}),
        RESTART,
        {"Orientation": ALL},
    ),
    Change(
        "max_replicas_per_node",
        set_options("Renderer", max_replicas_per_node=4),
        RESTART,
        {"Renderer": ALL},
    ),
    Change("args", set_overrides(limits={"max_queue_s": 21.0}), RESTART, WHOLE),
    Change("import_path", set_app(import_path="serve_app.app.build"), RESTART, WHOLE),
    Change("runtime_env", set_app(runtime_env={"env_vars": {"TZ": "UTC"}}), RESTART, WHOLE),
    Change(
        # The policies of all who scale are part of the code's version, and this makes their list longer.
        "autoscaling where there was none",
        set_options("Detection", autoscaling_config={"min_replicas": 2, "max_replicas": 3}),
        RESTART,
        WHOLE,
    ),
    Change(
        "a stage's settings",
        set_overrides(orientation={"model": "PP-LCNet_x1_0_doc_ori", "warm_up": False}),
        RESTART,
        WHOLE,
    ),
    Change("a second application", add_application, Effect.ADD),
    Change("the only application goes", remove_first, Effect.REMOVE),
]

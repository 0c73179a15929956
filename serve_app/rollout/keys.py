"""Every key that a Serve config may have, by level: Ray 2.60 silently drops what it does not know.

`tests/serve/test_rollout_diff.py` holds these tables against the installed Ray's own schemas.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rapidfuzz import fuzz, process

_LEAST_LIKENESS = 60.0


@dataclass(frozen=True)
class Level:
    """One mapping of the config: its keys, and which of them hold a mapping (or a list of mappings) again.

    ``schema`` is the name of Ray's own class; the values of keys that are in no ``below`` are free.
    """

    schema: str
    keys: tuple[str, ...]
    below: Mapping[str, "Level"] = field(default_factory=dict)


_LOGGING = Level(
    "LoggingConfig",
    ("encoding", "log_level", "logs_dir", "enable_access_log", "additional_log_standard_attrs"),
)
_RUNTIME_ENV = Level(
    "RuntimeEnv",
    (
        "conda",
        "config",
        "container",
        "env_vars",
        "excludes",
        "image_uri",
        "java_jars",
        "pip",
        "py_executable",
        "py_modules",
        "uv",
        "worker_process_setup_hook",
        "working_dir",
    ),
)
_ACTOR_OPTIONS = Level(
    "RayActorOptionsSchema",
    (
        "runtime_env",
        "num_cpus",
        "num_gpus",
        "memory",
        "resources",
        "accelerator_type",
        "label_selector",
        "fallback_strategy",
    ),
    {"runtime_env": _RUNTIME_ENV},
)
_POLICY = Level("AutoscalingPolicy", ("policy_function", "policy_kwargs"))
_AUTOSCALING = Level(
    "AutoscalingConfig",
    (
        "min_replicas",
        "initial_replicas",
        "max_replicas",
        "target_ongoing_requests",
        "metrics_interval_s",
        "look_back_period_s",
        "smoothing_factor",
        "upscale_smoothing_factor",
        "downscale_smoothing_factor",
        "upscaling_factor",
        "downscaling_factor",
        "downscale_delay_s",
        "downscale_to_zero_delay_s",
        "upscale_delay_s",
        "aggregation_function",
        "policy",
    ),
    {"policy": _POLICY},
)
_ROUTER = Level(
    "RequestRouterConfig",
    (
        "request_router_class",
        "request_router_kwargs",
        "request_routing_stats_period_s",
        "request_routing_stats_timeout_s",
        "initial_backoff_s",
        "backoff_multiplier",
        "max_backoff_s",
    ),
)
_DEPLOYMENT = Level(
    "DeploymentSchema",
    (
        "name",
        "num_replicas",
        "max_ongoing_requests",
        "max_queued_requests",
        "backpressure_config",
        "user_config",
        "autoscaling_config",
        "graceful_shutdown_wait_loop_s",
        "graceful_shutdown_timeout_s",
        "health_check_period_s",
        "health_check_timeout_s",
        "ray_actor_options",
        "placement_group_bundles",
        "placement_group_strategy",
        "placement_group_bundle_label_selector",
        "max_replicas_per_node",
        "logging_config",
        "request_router_config",
        "gang_scheduling_config",
        "deployment_actors",
        "rolling_update_percentage",
        "max_surge_percent",
    ),
    {
        "backpressure_config": Level("BackpressureConfig", ("status_code", "retry_after_s")),
        "autoscaling_config": _AUTOSCALING,
        "ray_actor_options": _ACTOR_OPTIONS,
        "logging_config": _LOGGING,
        "request_router_config": _ROUTER,
        "gang_scheduling_config": Level(
            "GangSchedulingConfig", ("gang_size", "gang_placement_strategy", "runtime_failure_policy")
        ),
        "deployment_actors": Level(
            "DeploymentActorConfig", ("name", "actor_class", "init_args", "init_kwargs", "actor_options")
        ),
    },
)
_APPLICATION = Level(
    "ServeApplicationSchema",
    (
        "name",
        "route_prefix",
        "import_path",
        "runtime_env",
        "host",
        "port",
        "deployments",
        "autoscaling_policy",
        "args",
        "logging_config",
        "external_scaler_enabled",
    ),
    {
        "runtime_env": _RUNTIME_ENV,
        "deployments": _DEPLOYMENT,
        "autoscaling_policy": _POLICY,
        "logging_config": _LOGGING,
    },
)
CONFIG = Level(
    "ServeDeploySchema",
    (
        "proxy_location",
        "http_options",
        "grpc_options",
        "controller_options",
        "logging_config",
        "tracing_config",
        "applications",
        "target_capacity",
    ),
    {
        "http_options": Level(
            "HTTPOptionsSchema",
            (
                "host",
                "port",
                "root_path",
                "request_timeout_s",
                "keep_alive_timeout_s",
                "ssl_keyfile",
                "ssl_certfile",
                "ssl_keyfile_password",
                "ssl_ca_certs",
            ),
        ),
        "grpc_options": Level(
            "gRPCOptionsSchema",
            ("port", "grpc_servicer_functions", "request_timeout_s", "enable_reflection"),
        ),
        "controller_options": Level("ControllerOptions", ("runtime_env",), {"runtime_env": _RUNTIME_ENV}),
        "logging_config": _LOGGING,
        "tracing_config": Level("TracingConfig", ("enabled", "exporter_import_path", "sampling_ratio")),
        "applications": _APPLICATION,
    },
)


def find_unknown_keys(content: object, level: Level = CONFIG, place: str = "") -> list[str]:
    """One sentence for each key that Serve would drop, with the known key that is most like it."""
    if isinstance(content, list):
        return [
            fault
            for index, item in enumerate(content)
            for fault in find_unknown_keys(item, level, f"{place}[{_name_of(item, index)}]")
        ]
    if not isinstance(content, Mapping):
        return []
    faults = []
    for key, value in content.items():
        path = f"{place}.{key}".lstrip(".")
        if key not in level.keys:
            faults.append(describe_unknown(path, str(key), level.keys))
        elif key in level.below:
            faults += find_unknown_keys(value, level.below[key], path)
    return faults


def describe_unknown(path: str, key: str, known: Iterable[str]) -> str:
    """The sentence for one key; a suggestion where one is near enough."""
    found = process.extractOne(key, list(known), scorer=fuzz.ratio, score_cutoff=_LEAST_LIKENESS)
    return f"{path}: there is no such key" + (f"; did you mean {found[0]!r}?" if found else "")


def _name_of(item: object, index: int) -> str:
    name = item.get("name") if isinstance(item, Mapping) else None
    return name if isinstance(name, str) else str(index)

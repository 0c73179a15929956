"""Serve's options of every deployment of the graph: what is started, and what rollouts are compared by.

Pure: `serve_app.app` binds deployments with these options, and `serve_app.rollout` reads them without Ray.
"""

from collections.abc import Iterator
from typing import Any

from configs.profile import OPTIONAL_STAGES, Profile
from configs.settings import BatchKnobs, RecognitionStage, ReplicaOptions

# A replica that fails its health check is replaced; these bound how soon.
_HEALTH_CHECK_PERIOD_S = 5.0
_HEALTH_CHECK_TIMEOUT_S = 15.0
# How long a replica that is replaced may finish the calls on it; what remains is tried again elsewhere.
# Nobody tries a request of the ingress again, so that has as long as a request may take.
_DRAIN_TIMEOUT_S = 30.0

Options = dict[str, Any]


def plan_deployments(
    profile: Profile, extra_recognizers: tuple[str, ...], cluster_cpus: int
) -> dict[str, Options]:
    """The options of each deployment that this profile starts on a cluster with so many CPUs."""
    return {
        name: {**_serve_options(replicas, cluster_cpus), **more}
        for name, replicas, more in _list_deployments(profile, extra_recognizers)
    }


def list_recognizers(
    profile: Profile, extra_recognizers: tuple[str, ...]
) -> Iterator[tuple[str, RecognitionStage]]:
    """Each recogniser's deployment name and stage; the profile's own comes first."""
    own = profile.recognition
    yield "Recognition", own
    for model in extra_recognizers:
        if model != own.model:
            yield f"Recognition-{model}", own.model_copy(update={"model": model})


def count_replicas(replicas: ReplicaOptions, cluster_cpus: int) -> int:
    """How many; ``auto`` is one a core of the cluster."""
    return max(1, cluster_cpus) if replicas.num_replicas == "auto" else replicas.num_replicas


def _list_deployments(
    profile: Profile, extra_recognizers: tuple[str, ...]
) -> Iterator[tuple[str, ReplicaOptions, Options]]:
    drain_s = profile.limits.request_timeout_s
    yield "Ingress", profile.ingress.replicas, {"graceful_shutdown_timeout_s": drain_s}
    yield "Renderer", profile.renderer.replicas, {}
    yield "Orientation", profile.orientation.replicas, {}
    yield "Detection", profile.detection.replicas, _knobs(profile.detection.knobs)
    for name, stage in list_recognizers(profile, extra_recognizers):
        yield name, stage.replicas, _knobs(stage.knobs)
    for name in (*OPTIONAL_STAGES, "documents", "extraction"):
        optional = getattr(profile, name)
        if optional is not None:
            yield name.capitalize(), optional.replicas, {}
    if profile.jobs is not None:
        yield "JobRunner", profile.jobs.replicas, {}


def _serve_options(replicas: ReplicaOptions, cluster_cpus: int) -> Options:
    """Serve's own words for a deployment's replicas and resources."""
    return {
        **_scaling(replicas, count_replicas(replicas, cluster_cpus)),
        "max_ongoing_requests": replicas.max_ongoing_requests,
        "max_queued_requests": replicas.max_queued_requests,
        "max_surge_percent": replicas.max_surge_percent,
        "ray_actor_options": {"num_cpus": replicas.num_cpus, "num_gpus": replicas.num_gpus},
        "health_check_period_s": _HEALTH_CHECK_PERIOD_S,
        "health_check_timeout_s": _HEALTH_CHECK_TIMEOUT_S,
        "graceful_shutdown_timeout_s": _DRAIN_TIMEOUT_S,
    }


def _scaling(replicas: ReplicaOptions, count: int) -> Options:
    if replicas.scale_to_zero_after_s is None:
        return {"num_replicas": count}
    return {
        "autoscaling_config": {
            "min_replicas": 0,
            # A stage that cannot start shall fail the rollout, not the first request long after it.
            "initial_replicas": 1,
            "max_replicas": count,
            # A second one starts when the first is full.
            "target_ongoing_requests": replicas.max_ongoing_requests,
            "downscale_to_zero_delay_s": replicas.scale_to_zero_after_s,
        }
    }


def _knobs(knobs: BatchKnobs) -> Options:
    return {"user_config": knobs.model_dump()}

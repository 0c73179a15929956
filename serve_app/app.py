"""The graph: which deployments there are and which holds a handle of which. Nothing but `.bind()` calls."""

# No `from __future__ import annotations` here: Serve reads the annotation of `build` to type its arguments.

from typing import Any

import ray
from ray.serve import Application

from configs.catalogue import load_catalogue
from configs.profile import OPTIONAL_STAGES, AppArgs, Profile, choose_recognizers, load_profile
from configs.settings import BatchKnobs, RecognitionStage, ReplicaOptions
from deployments.detection import Detection
from deployments.documents import Documents
from deployments.extractor import Extraction
from deployments.formula import Formula
from deployments.job_runner import JobRunner
from deployments.layout import Layout
from deployments.orientation import Orientation
from deployments.recognition import Recognition
from deployments.renderer import Renderer
from deployments.seal import Seal
from deployments.table import Table
from deployments.unwarping import Unwarping
from serve_app.ingress import Ingress
from serve_app.job_work import make_job_work

# A replica that fails its health check is replaced; these bound how soon.
_HEALTH_CHECK_PERIOD_S = 5.0
_HEALTH_CHECK_TIMEOUT_S = 15.0
# How long a replica that is replaced may finish the calls on it; what remains is tried again elsewhere.
# Nobody tries a request of the ingress again, so that has as long as a request may take.
_DRAIN_TIMEOUT_S = 30.0
_OPTIONAL = dict(zip(OPTIONAL_STAGES, (Layout, Table, Unwarping, Formula, Seal), strict=True))


def build(args: AppArgs) -> Application:
    """The application for `serve run` and `serve deploy` (`import_path: serve_app.app:build`)."""
    cluster = ray.cluster_resources() if ray.is_initialized() else {}  # type: ignore[no-untyped-call]
    profile = load_profile(args, cluster.get("GPU", 0.0))
    return bind_graph(profile, choose_recognizers(args), int(cluster.get("CPU", 1)))


def bind_graph(profile: Profile, extra_recognizers: tuple[str, ...], cluster_cpus: int) -> Application:
    """Every deployment with its options, bound into one application whose root is the ingress."""

    def sized(deployment: Any, replicas: ReplicaOptions, **more: Any) -> Any:
        return deployment.options(**{**serve_options(replicas, cluster_cpus), **more})

    stages = [profile.recognition]
    stages += [profile.recognition.model_copy(update={"model": name}) for name in extra_recognizers]
    recognizers = {
        stage.model: sized(
            Recognition,
            stage.replicas,
            name=_recognition_name(stage, profile),
            user_config=_knobs(stage.knobs),
        ).bind(stage)
        for stage in stages
    }
    optional = {
        name: sized(deployment, stage.replicas).bind(stage)
        for name, deployment in _OPTIONAL.items()
        if (stage := getattr(profile, name)) is not None
    }
    # What those who read documents need: the ingress, and the runner of jobs.
    parts: dict[str, Any] = {
        "renderer": sized(Renderer, profile.renderer.replicas).bind(profile.renderer),
        "orientation": sized(Orientation, profile.orientation.replicas).bind(profile.orientation),
        "detection": sized(
            Detection, profile.detection.replicas, user_config=_knobs(profile.detection.knobs)
        ).bind(profile.detection),
        "recognizers": recognizers,
        "optional": optional,
        "extraction": None
        if profile.extraction is None
        else sized(Extraction, profile.extraction.replicas).bind(profile.extraction),
        "languages": load_catalogue().languages(),
        "detection_stage": profile.detection,
        "spread": _count_shares(profile.recognition, cluster_cpus),
        "limits": profile.limits,
    }
    drain_s = profile.limits.request_timeout_s
    return sized(Ingress, profile.ingress.replicas, graceful_shutdown_timeout_s=drain_s).bind(
        **parts,
        # One replica, whatever the size of the cluster: what it keeps, all must see.
        documents=None
        if profile.documents is None
        else sized(Documents, profile.documents.replicas).bind(profile.documents),
        jobs=profile.jobs,
        job_runner=None
        if profile.jobs is None
        else sized(JobRunner, profile.jobs.replicas).bind(profile.jobs, make_job_work, parts),
        memory=profile.ingress.memory,
    )


def serve_options(replicas: ReplicaOptions, cluster_cpus: int) -> dict[str, Any]:
    """Serve's own words for a deployment's replicas and resources."""
    return {
        "num_replicas": _count_replicas(replicas, cluster_cpus),
        "max_ongoing_requests": replicas.max_ongoing_requests,
        "max_queued_requests": replicas.max_queued_requests,
        "ray_actor_options": {"num_cpus": replicas.num_cpus, "num_gpus": replicas.num_gpus},
        "health_check_period_s": _HEALTH_CHECK_PERIOD_S,
        "health_check_timeout_s": _HEALTH_CHECK_TIMEOUT_S,
        "graceful_shutdown_timeout_s": _DRAIN_TIMEOUT_S,
    }


def _count_replicas(replicas: ReplicaOptions, cluster_cpus: int) -> int:
    return max(1, cluster_cpus) if replicas.num_replicas == "auto" else replicas.num_replicas


def _count_shares(stage: RecognitionStage, cluster_cpus: int) -> int:
    return _count_replicas(stage.replicas, cluster_cpus) if stage.spread == "auto" else stage.spread


def _recognition_name(stage: RecognitionStage, profile: Profile) -> str:
    return "Recognition" if stage.model == profile.recognition.model else f"Recognition-{stage.model}"


def _knobs(knobs: BatchKnobs) -> dict[str, Any]:
    return knobs.model_dump()


def __getattr__(name: str) -> Any:
    # `serve run serve_app.app:app` wants an application ready made; importing the module must stay cheap.
    if name == "app":
        return build(AppArgs())
    raise AttributeError(name)

"""The graph: which deployments there are and which holds a handle of which. Nothing but `.bind()` calls."""

# No `from __future__ import annotations` here: Serve reads the annotation of `build` to type its arguments.

from typing import Any

import ray
from ray.serve import Application

from configs.catalogue import load_catalogue
from configs.profile import OPTIONAL_STAGES, AppArgs, Profile, choose_recognizers, load_profile
from configs.settings import RecognitionStage
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
from serve_app.graph_options import count_replicas, list_recognizers, plan_deployments
from serve_app.ingress import Ingress
from serve_app.job_work import make_job_work

_OPTIONAL = dict(zip(OPTIONAL_STAGES, (Layout, Table, Unwarping, Formula, Seal), strict=True))


def build(args: AppArgs) -> Application:
    """The application for `serve run` and `serve deploy` (`import_path: serve_app.app:build`)."""
    cluster = ray.cluster_resources() if ray.is_initialized() else {}  # type: ignore[no-untyped-call]
    profile = load_profile(args, cluster.get("GPU", 0.0))
    return bind_graph(profile, choose_recognizers(args), int(cluster.get("CPU", 1)))


def bind_graph(profile: Profile, extra_recognizers: tuple[str, ...], cluster_cpus: int) -> Application:
    """Every deployment with its options, bound into one application whose root is the ingress."""
    options = plan_deployments(profile, extra_recognizers, cluster_cpus)

    def named(deployment: Any, name: str | None = None) -> Any:
        name = name or deployment.name
        return deployment.options(name=name, **options[name])

    recognizers = {
        stage.model: named(Recognition, name).bind(stage)
        for name, stage in list_recognizers(profile, extra_recognizers)
    }
    optional = {
        name: named(deployment).bind(stage)
        for name, deployment in _OPTIONAL.items()
        if (stage := getattr(profile, name)) is not None
    }
    # What those who read documents need: the ingress, and the runner of jobs.
    parts: dict[str, Any] = {
        "renderer": named(Renderer).bind(profile.renderer),
        "orientation": named(Orientation).bind(profile.orientation),
        "detection": named(Detection).bind(profile.detection),
        "recognizers": recognizers,
        "optional": optional,
        "extraction": None if profile.extraction is None else named(Extraction).bind(profile.extraction),
        "languages": load_catalogue().languages(),
        "detection_stage": profile.detection,
        "spread": _count_shares(profile.recognition, cluster_cpus),
        "limits": profile.limits,
    }
    return named(Ingress).bind(
        **parts,
        # One replica, whatever the size of the cluster: what it keeps, all must see.
        documents=None if profile.documents is None else named(Documents).bind(profile.documents),
        jobs=profile.jobs,
        job_runner=None
        if profile.jobs is None
        else named(JobRunner).bind(profile.jobs, make_job_work, parts),
        memory=profile.ingress.memory,
        on_demand=profile.list_on_demand(),
    )


def _count_shares(stage: RecognitionStage, cluster_cpus: int) -> int:
    return count_replicas(stage.replicas, cluster_cpus) if stage.spread == "auto" else stage.spread


def __getattr__(name: str) -> Any:
    # `serve run serve_app.app:app` wants an application ready made; importing the module must stay cheap.
    if name == "app":
        return build(AppArgs())
    raise AttributeError(name)

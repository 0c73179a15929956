"""A profile: every deployment's replicas, resources, engine and batch, for one kind of machine."""

import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, model_validator

from configs.jobs import JobsStage
from configs.settings import (
    DetectionStage,
    DocumentsStage,
    EngineName,
    ExtractionStage,
    FormulaStage,
    LayoutStage,
    Limits,
    MemoryLimits,
    OrientationStage,
    RecognitionStage,
    RendererStage,
    ReplicaOptions,
    SealStage,
    Settings,
    TableStage,
    UnwarpingStage,
)

_TEXT_STAGES = ("orientation", "detection", "recognition")
# Those that a profile may do without.
OPTIONAL_STAGES = ("layout", "table", "unwarping", "formula", "seal")
_MODEL_STAGES = (*_TEXT_STAGES, *OPTIONAL_STAGES)
# Those that may end while nobody needs them: the text of an image is read without.
_ON_DEMAND_STAGES = ("renderer", *OPTIONAL_STAGES, "extraction")
# Stages whose packaged weights an engine cannot run: PaddlePaddle reads no ONNX, and the networks of
# tables and formulas have a loop that OpenVINO does not know.
_OWN_ENGINE: Mapping[str, tuple[str, ...]] = {
    "paddle": ("layout", "table"),
    "openvino": ("table", "formula"),
}


class IngressStage(Settings):
    """The HTTP edge, which also runs the flow of each document."""

    replicas: ReplicaOptions = ReplicaOptions()
    memory: MemoryLimits = MemoryLimits()


class Profile(Settings):
    """The whole graph's configuration.

    Stages that are left out are not started, and what needs them is refused.
    """

    ingress: IngressStage = IngressStage()
    renderer: RendererStage = RendererStage()
    orientation: OrientationStage
    detection: DetectionStage
    recognition: RecognitionStage
    layout: LayoutStage | None = None
    table: TableStage | None = None
    unwarping: UnwarpingStage | None = None
    formula: FormulaStage | None = None
    seal: SealStage | None = None
    documents: DocumentsStage | None = None
    extraction: ExtractionStage | None = None
    jobs: JobsStage | None = None
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _keep_text_ready(self) -> Self:
        others = set(Profile.model_fields) - {*_ON_DEMAND_STAGES, "limits"}
        waiting = sorted(filter(self._waits, others))
        if waiting:
            raise ValueError(f"{', '.join(waiting)}: always needed, so without scale_to_zero_after_s")
        return self

    def list_on_demand(self) -> tuple[str, ...]:
        """Stages that end when nobody asks, and start with the next request that needs them."""
        return tuple(filter(self._waits, _ON_DEMAND_STAGES))

    def _waits(self, name: str) -> bool:
        stage = getattr(self, name)
        return stage is not None and stage.replicas.scale_to_zero_after_s is not None


class AppArgs(Settings):
    """What `serve_config.yaml` may say under ``args``.

    ``profile`` is ``cpu``, ``gpu-t4``, ``gpu-onnx``, ``auto`` (by what the cluster has) or the path of a
    YAML file.
    ``engine`` runs every network on one engine that can run it. ``recognizers`` are models started beside
    the profile's own recogniser, for other languages. ``overrides`` is merged over the profile, key by key.
    """

    profile: str = "auto"
    engine: EngineName | None = None
    recognizers: tuple[str, ...] = ()
    overrides: dict[str, Any] = Field(default_factory=dict)


def load_profile(args: AppArgs, cluster_gpus: float, environment: Mapping[str, str] = os.environ) -> Profile:
    """The profile that the arguments describe, for a cluster with so many GPUs.

    ``PRELOAD_MODELS=false`` in the environment leaves out the warm-up of every stage.
    """
    name = args.profile
    if name == "auto":
        name = "gpu-t4" if cluster_gpus > 0 else "cpu"
    content = _read_profile(name)
    # What a profile leaves out stays out, whatever is set for all stages.
    stages = [stage for stage in _MODEL_STAGES if content.get(stage) is not None]
    if args.engine is not None:
        for stage in stages:
            if stage not in _OWN_ENGINE.get(args.engine, ()):
                content = _merge(content, {stage: {"run": {"engine": args.engine}}})
    if environment.get("PRELOAD_MODELS", "").strip().lower() in ("0", "false", "no", "off"):
        for stage in stages:
            content = _merge(content, {stage: {"warm_up": False}})
    return Profile.model_validate(_merge(content, args.overrides))


def choose_recognizers(args: AppArgs, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Models to start beside the profile's recogniser: those of the arguments and of ``PRELOAD_MODELS``."""
    asked = environment.get("PRELOAD_MODELS", "")
    named = [name.strip() for name in asked.split(",")]
    switches = ("", "0", "1", "true", "false", "yes", "no", "on", "off", "all")
    extra = [name for name in named if name.lower() not in switches]
    return tuple(dict.fromkeys([*args.recognizers, *extra]))


def _read_profile(name: str) -> dict[str, Any]:
    if name.endswith((".yaml", ".yml")):
        text = Path(name).read_text(encoding="utf-8")
    else:
        shipped = resources.files("configs") / "profiles"
        names = sorted(
            entry.name.removesuffix(".yaml") for entry in shipped.iterdir() if entry.name.endswith(".yaml")
        )
        if name not in names:
            raise ValueError(f"There is no profile {name!r}; choose auto, {', '.join(names)} or a YAML file.")
        text = (shipped / f"{name}.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    if not isinstance(content, dict):
        raise ValueError(f"The profile {name!r} is not a mapping.")
    return content


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A new mapping: ``over`` wins, nested mappings are merged."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return merged

"""A replica's metrics on the `/metrics` of its node (see `deployments.metric_table`).

Ray adds a `ray_` prefix and tags of its own there; `serve_app.cluster_metrics` shows them without.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from ray import serve
from ray.util.metrics import Counter, Gauge, Histogram

from deployments.metric_table import METRICS, NoRecorder, Recorder
from deployments.recycling import read_own_private_bytes
from deployments.usage import BatchRecord, Usage

# Fields of `Usage`, and the metric and labels that show what they have grown by.
_GROWING = {
    "items": ("ocr_stage_items", {}),
    "dropped": ("ocr_stage_dropped", {}),
    "batches": ("ocr_stage_batches", {}),
    "cost": ("ocr_stage_cost", {}),
    "runs": ("ocr_stage_runs", {}),
    "network_cpu_s": ("ocr_stage_network_cpu_seconds", {}),
    "worker_cpu_s": ("ocr_stage_worker_cpu_seconds", {}),
    "queue_s": ("ocr_stage_seconds", {"part": "queue"}),
    "company_s": ("ocr_stage_seconds", {"part": "batch_wait"}),
    "pre_s": ("ocr_stage_seconds", {"part": "pre"}),
    "network_s": ("ocr_stage_seconds", {"part": "network"}),
    "post_s": ("ocr_stage_seconds", {"part": "post"}),
    "content_px": ("ocr_stage_pixels", {"kind": "content"}),
    "padding_px": ("ocr_stage_pixels", {"kind": "padding"}),
}
_OWN_TAGS = ("deployment", "replica")


class RayRecorder:
    """Records through Ray, with the names of the deployment and the replica that it is made in."""

    def __init__(self) -> None:
        replica = serve.get_replica_context().replica_id
        self._own = {"deployment": replica.deployment_id.name, "replica": replica.unique_id}
        self._metrics: dict[str, Counter | Gauge | Histogram] = {}

    def add(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Let a counter grow; by nothing is by nothing."""
        if amount > 0:
            self._find(name).inc(amount, self._own | labels)  # type: ignore[union-attr]

    def set(self, name: str, value: float, **labels: str) -> None:
        """Say what a gauge shows from now on."""
        self._find(name).set(value, self._own | labels)  # type: ignore[union-attr]

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Count a value into a histogram."""
        # Ray refuses zero.
        self._find(name).observe(max(value, 1e-9), self._own | labels)  # type: ignore[union-attr]

    def _find(self, name: str) -> "Counter | Gauge | Histogram":
        if name not in self._metrics:
            spec = METRICS[name]
            tags = (*_OWN_TAGS, *spec.labels)
            if spec.kind == "histogram":
                self._metrics[name] = Histogram(name, spec.meaning, list(spec.buckets), tags)
            else:
                kind = Counter if spec.kind == "counter" else Gauge
                self._metrics[name] = kind(name, spec.meaning, tags)
        return self._metrics[name]


def make_recorder(environment: Mapping[str, str] = os.environ) -> Recorder:
    """What a replica records with; nothing where `METRICS` is `off`. Raises `ValueError`."""
    switch = environment.get("METRICS") or "on"
    if switch not in ("on", "off"):
        raise ValueError(f"METRICS must be on or off, not {switch!r}.")
    return RayRecorder() if switch == "on" else NoRecorder()


class StageMetrics:
    """Publishes what a stage's `Usage` has grown by, its batches and its memory; for one event loop."""

    def __init__(
        self,
        stage: str,
        usage: Usage,
        read_gpu_bytes: Callable[[], int] | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self._stage = stage
        self._usage = usage
        self._read_gpu_bytes = read_gpu_bytes
        self._recorder = recorder or make_recorder()
        self._published = Usage()

    def publish(self) -> None:
        """Add what was not yet published."""
        now = replace(self._usage)
        for field, (name, labels) in _GROWING.items():
            growth = getattr(now, field) - getattr(self._published, field)
            self._recorder.add(name, growth, stage=self._stage, **labels)
        self._published = now

    def note_batch(self, batch: BatchRecord) -> None:
        """Count a batch into the histograms, and publish what it added."""
        self._recorder.observe("ocr_stage_batch_seconds", batch.elapsed_s, stage=self._stage)
        self._recorder.observe("ocr_stage_batch_items", batch.items, stage=self._stage)
        self.publish()

    def show_memory(self) -> None:
        """Say how much memory this process holds."""
        show_memory(self._recorder, self._stage, self._read_gpu_bytes)


def show_memory(recorder: Recorder, stage: str, read_gpu_bytes: Callable[[], int] | None = None) -> None:
    """Say how much memory this process holds."""
    recorder.set("ocr_replica_memory_bytes", read_own_private_bytes(), stage=stage, kind="private")
    if read_gpu_bytes is not None:
        recorder.set("ocr_replica_memory_bytes", read_gpu_bytes(), stage=stage, kind="gpu")

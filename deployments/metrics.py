"""A replica's counters on the `/metrics` of its node; Ray adds a `ray_` prefix and the replica's tags."""

from dataclasses import replace

from ray.util.metrics import Counter

from deployments.usage import Usage

_COUNTERS = {
    "items": ("ocr_stage_items", "Requests answered by a stage."),
    "dropped": ("ocr_stage_dropped", "Requests not computed because nobody waited for them any more."),
    "batches": ("ocr_stage_batches", "Batches formed by a stage's queue."),
    "runs": ("ocr_stage_runs", "Runs of a stage's networks."),
    "network_cpu_s": ("ocr_stage_network_cpu_seconds", "Processor time spent inside networks."),
    "worker_cpu_s": ("ocr_stage_worker_cpu_seconds", "Processor time of the thread that runs the model."),
}


class StageMetrics:
    """Publishes what a `Usage` has grown by. Belongs to one event loop."""

    def __init__(self, stage: str) -> None:
        self._counters = {
            field: Counter(name, description, tag_keys=("stage",))
            for field, (name, description) in _COUNTERS.items()
        }
        self._tags = {"stage": stage}
        self._published = Usage()

    def publish(self, usage: Usage) -> None:
        """Add what was not yet published."""
        now = replace(usage)
        for field, counter in self._counters.items():
            growth = getattr(now, field) - getattr(self._published, field)
            if growth > 0:
                counter.inc(growth, self._tags)
        self._published = now

"""What the service measures of itself: every metric with its unit, labels and meaning, in one table.

`docs/metrics.md` is written from it. Names follow Prometheus' rules: a base unit at the end, and `_total`
behind counters when they are shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

MetricKind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True)
class MetricSpec:
    """One metric. ``buckets`` are upper bounds, of a histogram."""

    name: str
    kind: MetricKind
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def shown_name(self) -> str:
        """The name on `/metrics`; of a histogram, what its series begin with."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


# Seconds: from a small receipt to a long document.
_REQUEST_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_BATCH_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_BATCH_ITEMS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)

METRICS: Mapping[str, MetricSpec] = {
    spec.name: spec
    for spec in (
        MetricSpec(
            "ocr_requests",
            "counter",
            "HTTP requests answered, streams when their last byte was sent; `route` is the path's template, "
            "`unmatched` for paths that nothing serves.",
            ("route", "method", "status"),
        ),
        MetricSpec(
            "ocr_request_seconds",
            "histogram",
            "From the first byte of a request's head to the last of its answer.",
            ("route",),
            _REQUEST_S,
        ),
        MetricSpec(
            "ocr_requests_in_flight", "gauge", "HTTP requests that an ingress replica is working on.", ()
        ),
        MetricSpec(
            "ocr_errors",
            "counter",
            "Answers that are problem documents, by their stable `code` (docs/api.md).",
            ("route", "code"),
        ),
        MetricSpec(
            "ocr_pages",
            "counter",
            "Pages read, over HTTP and by handles; `outcome` is `read` or the code of a page's error.",
            ("outcome",),
        ),
        MetricSpec("ocr_lines", "counter", "Lines of text in the pages that were read."),
        MetricSpec(
            "ocr_admission_refusals",
            "counter",
            "Documents refused with 503 because they would have waited too long.",
        ),
        MetricSpec(
            "ocr_admission_wait_seconds",
            "gauge",
            "How long a document that comes now will wait, as an ingress replica judges.",
        ),
        MetricSpec(
            "ocr_limits_unchecked",
            "counter",
            "Requests of callers with limits that were let through uncounted, because the counters did not "
            "answer.",
        ),
        MetricSpec(
            "ocr_documents_lookups",
            "counter",
            "Kept documents: `result` is `hits` or `misses` of those who asked, or `evictions` for room.",
            ("result",),
        ),
        MetricSpec(
            "ocr_documents_bytes",
            "gauge",
            "Bytes of kept documents; `tier` is `memory` or `disk`.",
            ("tier",),
        ),
        MetricSpec(
            "ocr_extractions",
            "counter",
            "Documents whose fields were extracted; `engine` is `rules`, `llm` or `pp_chatocr`.",
            ("engine",),
        ),
        MetricSpec(
            "ocr_llm_requests",
            "counter",
            "Calls of the language model; `outcome` is `answered` or the code of the warning.",
            ("outcome",),
        ),
        MetricSpec(
            "ocr_llm_tokens",
            "counter",
            "Tokens as the language model counts them; `kind` is `prompt` or `completion`.",
            ("kind",),
        ),
        MetricSpec("ocr_jobs", "gauge", "Jobs that are kept, by their `state` (docs/jobs.md).", ("state",)),
        MetricSpec("ocr_job_files_waiting", "gauge", "Files of jobs that wait for their turn."),
        MetricSpec(
            "ocr_job_files",
            "counter",
            "Files of jobs that ended; `outcome` is `done`, `partial` or the code of the file's error.",
            ("outcome",),
        ),
        MetricSpec(
            "ocr_job_pages",
            "counter",
            "Pages of jobs that ended; `outcome` is `read` or the code of the page's error.",
            ("outcome",),
        ),
        MetricSpec("ocr_stage_items", "counter", "Requests answered by a stage.", ("stage",)),
        MetricSpec(
            "ocr_stage_dropped",
            "counter",
            "Requests not computed because nobody waited for them any more.",
            ("stage",),
        ),
        MetricSpec("ocr_stage_batches", "counter", "Batches formed by a stage's queue.", ("stage",)),
        MetricSpec(
            "ocr_stage_cost",
            "counter",
            "Cost of the requests in them: lines of ordinary width in the recogniser, else requests.",
            ("stage",),
        ),
        MetricSpec("ocr_stage_runs", "counter", "Runs of a stage's networks.", ("stage",)),
        MetricSpec(
            "ocr_stage_seconds",
            "counter",
            "Seconds by the wall. `part`: `queue` that requests waited, `batch_wait` that the model waited "
            "for a batch to fill; `pre`, `network` and `post` are the batches' own.",
            ("stage", "part"),
        ),
        MetricSpec(
            "ocr_stage_network_cpu_seconds", "counter", "Processor time spent inside networks.", ("stage",)
        ),
        MetricSpec(
            "ocr_stage_worker_cpu_seconds",
            "counter",
            "Processor time of the thread that runs the model, networks included.",
            ("stage",),
        ),
        MetricSpec(
            "ocr_stage_pixels",
            "counter",
            "Pixels that the recogniser's network was given: `kind` is `content` or `padding`.",
            ("stage", "kind"),
        ),
        MetricSpec(
            "ocr_stage_batch_seconds",
            "histogram",
            "From the moment when a batch is taken to its answers.",
            ("stage",),
            _BATCH_S,
        ),
        MetricSpec("ocr_stage_batch_items", "histogram", "Requests in a batch.", ("stage",), _BATCH_ITEMS),
        MetricSpec(
            "ocr_replica_memory_bytes",
            "gauge",
            "Memory of a replica: `kind` is `private` (resident and not shared) or `gpu` (reserved by its "
            "engine).",
            ("stage", "kind"),
        ),
        MetricSpec(
            "ocr_node_up",
            "gauge",
            "1 for a node whose figures were read for this answer, 0 for one that did not answer: its "
            "counters are as they were last seen, its gauges are left out.",
            ("address",),
        ),
        MetricSpec(
            "ocr_nodes_gone",
            "gauge",
            "Nodes that have left the cluster and whose last counters are still shown.",
        ),
    )
}


class Recorder(Protocol):
    """Takes measurements of the metrics above, by name. Cheap, and never raises for a value."""

    def add(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Let a counter grow."""
        ...

    def set(self, name: str, value: float, **labels: str) -> None:
        """Say what a gauge shows from now on."""
        ...

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Count a value into a histogram."""
        ...


class NoRecorder:
    """Takes measurements and forgets them."""

    def add(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Do nothing."""

    def set(self, name: str, value: float, **labels: str) -> None:
        """Do nothing."""

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Do nothing."""

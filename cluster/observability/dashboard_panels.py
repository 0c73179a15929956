"""What the dashboard shows: rows of panels, each with its queries of Prometheus."""

from collections.abc import Sequence
from dataclasses import dataclass

_DOCUMENTS = 'route=~"(/v1)?/(ocr|structure|extraction|batch|jobs).*"'


@dataclass(frozen=True)
class Panel:
    """One chart: its queries with their legends, and Grafana's name of the unit."""

    title: str
    unit: str
    queries: Sequence[tuple[str, str]]
    about: str = ""


def _quantiles(metric: str, by: str = "") -> list[tuple[str, str]]:
    grouped = f"le, {by}" if by else "le"
    legend = f" {{{{{by}}}}}" if by else ""
    return [
        (
            f"histogram_quantile({quantile}, sum by ({grouped}) (rate({metric}_bucket[$__rate_interval])))",
            f"p{quantile * 100:g}{legend}",
        )
        for quantile in (0.5, 0.95, 0.99)
    ]


ROWS: Sequence[tuple[str, Sequence[Panel]]] = (
    (
        "Is it well?",
        (
            Panel(
                "Requests for documents by status",
                "reqps",
                [
                    (
                        f"sum by (status) (rate(ocr_requests_total{{{_DOCUMENTS}}}[$__rate_interval]))",
                        "{{status}}",
                    )
                ],
            ),
            Panel("Time of requests", "s", _quantiles("ocr_request_seconds")),
            Panel(
                "Errors by code",
                "reqps",
                [("sum by (code) (rate(ocr_errors_total[$__rate_interval]))", "{{code}}")],
            ),
            Panel(
                "Pages and lines",
                "ops",
                [
                    ("sum by (outcome) (rate(ocr_pages_total[$__rate_interval]))", "pages {{outcome}}"),
                    ("sum(rate(ocr_lines_total[$__rate_interval]))", "lines"),
                ],
            ),
            Panel(
                "Deployments by Serve's own judgement",
                "none",
                [("min by (deployment) (ray_serve_deployment_status)", "{{deployment}}")],
                "6 is healthy, 3 to 5 are changes under way, 2 and 1 are unhealthy and failed.",
            ),
            Panel(
                "Nodes that give their metrics",
                "none",
                [("sum(ocr_node_up)", "answer"), ("count(ocr_node_up) - sum(ocr_node_up)", "do not")],
            ),
        ),
    ),
    (
        "Is there room?",
        (
            Panel(
                "Requests under way", "none", [("sum by (replica) (ocr_requests_in_flight)", "{{replica}}")]
            ),
            Panel(
                "How long a new document waits",
                "s",
                [("max by (replica) (ocr_admission_wait_seconds)", "{{replica}}")],
            ),
            Panel(
                "Documents refused",
                "reqps",
                [("sum(rate(ocr_admission_refusals_total[$__rate_interval]))", "refused")],
            ),
            Panel(
                "Calls that wait for a replica",
                "none",
                [("sum by (deployment) (ray_serve_deployment_queued_queries)", "{{deployment}}")],
            ),
            Panel(
                "Calls inside replicas",
                "none",
                [("sum by (deployment) (ray_serve_replica_processing_queries)", "{{deployment}}")],
            ),
            Panel(
                "Work whose caller left",
                "ops",
                [("sum by (stage) (rate(ocr_stage_dropped_total[$__rate_interval]))", "{{stage}}")],
            ),
        ),
    ),
    (
        "Where does the time go?",
        (
            Panel(
                "Seconds a second, by part",
                "none",
                [
                    (
                        "sum by (stage, part) (rate(ocr_stage_seconds_total[$__rate_interval]))",
                        "{{stage}} {{part}}",
                    )
                ],
                "`network` near the number of a stage's replicas: it is full.",
            ),
            Panel("Time of batches", "s", _quantiles("ocr_stage_batch_seconds", "stage")),
            Panel(
                "Requests a batch",
                "none",
                [
                    (
                        "sum by (stage) (rate(ocr_stage_items_total[$__rate_interval]))"
                        " / sum by (stage) (rate(ocr_stage_batches_total[$__rate_interval]))",
                        "{{stage}}",
                    )
                ],
            ),
            Panel(
                "Cost a batch",
                "none",
                [
                    (
                        "sum by (stage) (rate(ocr_stage_cost_total[$__rate_interval]))"
                        " / sum by (stage) (rate(ocr_stage_batches_total[$__rate_interval]))",
                        "{{stage}}",
                    )
                ],
            ),
            Panel(
                "Padding in what networks compute",
                "percentunit",
                [
                    (
                        'sum by (stage) (rate(ocr_stage_pixels_total{kind="padding"}[$__rate_interval]))'
                        " / sum by (stage) (rate(ocr_stage_pixels_total[$__rate_interval]))",
                        "{{stage}}",
                    )
                ],
            ),
            Panel(
                "Cores: models, and networks inside them",
                "none",
                [
                    (
                        "sum by (stage) (rate(ocr_stage_worker_cpu_seconds_total[$__rate_interval]))",
                        "{{stage}} model",
                    ),
                    (
                        "sum by (stage) (rate(ocr_stage_network_cpu_seconds_total[$__rate_interval]))",
                        "{{stage}} network",
                    ),
                ],
            ),
        ),
    ),
    (
        "Jobs",
        (
            Panel("Jobs by state", "none", [("max by (state) (ocr_jobs)", "{{state}}")]),
            Panel("Files that wait", "none", [("max(ocr_job_files_waiting)", "waiting")]),
            Panel(
                "Files and pages of jobs",
                "ops",
                [
                    ("sum by (outcome) (rate(ocr_job_pages_total[$__rate_interval]))", "pages {{outcome}}"),
                    ("sum by (outcome) (rate(ocr_job_files_total[$__rate_interval]))", "files {{outcome}}"),
                ],
            ),
        ),
    ),
    (
        "Memory, caches, what stands beside",
        (
            Panel(
                "Private memory of replicas",
                "bytes",
                [
                    (
                        'max by (stage, replica) (ocr_replica_memory_bytes{kind="private"})',
                        "{{stage}} {{replica}}",
                    )
                ],
            ),
            Panel(
                "GPU memory of replicas",
                "bytes",
                [('sum by (node, stage) (ocr_replica_memory_bytes{kind="gpu"})', "{{node}} {{stage}}")],
            ),
            Panel("GPUs", "percent", [("avg by (node) (ray_node_gpus_utilization)", "{{node}}")]),
            Panel(
                "Kept documents: found again",
                "percentunit",
                [
                    (
                        'sum(rate(ocr_documents_lookups_total{result="hits"}[$__rate_interval]))'
                        ' / sum(rate(ocr_documents_lookups_total{result=~"hits|misses"}[$__rate_interval]))',
                        "hits",
                    )
                ],
            ),
            Panel("Kept documents: bytes", "bytes", [("sum by (tier) (ocr_documents_bytes)", "{{tier}}")]),
            Panel(
                "Extractions, and calls of the language model",
                "ops",
                [
                    ("sum by (engine) (rate(ocr_extractions_total[$__rate_interval]))", "by {{engine}}"),
                    (
                        "sum by (outcome) (rate(ocr_llm_requests_total[$__rate_interval]))",
                        "language model: {{outcome}}",
                    ),
                ],
            ),
        ),
    ),
)

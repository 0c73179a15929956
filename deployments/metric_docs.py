"""Write docs/metrics.md from the table of metrics: `make docs`."""

from pathlib import Path

from deployments.metric_table import METRICS, MetricSpec

TARGET = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"

_HEAD = """\
# Metrics

<!-- Written by `make docs` from deployments/metric_table.py: change it there. -->

`GET /metrics` (a key with the scope `metrics`; also `/v1/metrics`) shows the whole cluster in Prometheus'
text format, whichever replica answers. `?include=own` shows the metrics below alone, `serve` (the default)
also the counters and gauges of Ray Serve and of the nodes (`ray_serve_*`, `ray_node_*`), `all` everything
that Ray exports. Each node's own page, at Ray's metrics port, can still be scraped; there the names below
have the prefix `ray_`.

What the figures mean:

- Every series has the labels `node` (the beginning of the node's id), `deployment` and `replica`;
  `ocr_node_up` and `ocr_nodes_gone` describe nodes and have no replica. A sum over all series of a counter
  is the cluster's total: nothing is in it twice.
- The sum does not fall when a replica dies: its node's agent keeps its counters. What the process had
  counted but not yet handed over is lost with it, when it is killed: at most the last two seconds
  on a cluster, five of `ocr-serve run` (`RAY_metrics_report_interval_ms`), and never when it ends as asked.
  Gauges of a dead replica disappear within two such intervals.
- The sum does not fall when a node leaves: its counters are shown on as they were last read, by one actor
  (`ocr-metrics-1`) that stands on the head. When that actor's own node is lost, so is what it remembered of
  nodes that had left before; Prometheus has it. After 32 nodes that left, the oldest are added up under
  `node="gone"`.
- A node that does not answer within three seconds has `ocr_node_up` 0, and its counters stand still.
- A request is counted when the last byte of its answer was sent. A figure is on the page at most about four
  seconds later.
- Sums of histograms (`..._sum`) are estimates from the middle of each bucket: that is what Ray's exporter
  knows.
- `METRICS=off` in the environment of the replicas records nothing of the table.
"""


def describe_metrics() -> str:
    """The whole page."""
    rows = ["| name | kind | labels | meaning |", "|---|---|---|---|"]
    rows += [_write_row(spec) for spec in sorted(METRICS.values(), key=lambda spec: spec.name)]
    return _HEAD + "\n" + "\n".join(rows) + "\n"


def _write_row(spec: MetricSpec) -> str:
    labels = ", ".join(f"`{label}`" for label in spec.labels) or " "
    buckets = f" Buckets: {', '.join(f'{bound:g}' for bound in spec.buckets)}." if spec.buckets else ""
    return f"| `{spec.shown_name}` | {spec.kind} | {labels} | {spec.meaning}{buckets} |"


if __name__ == "__main__":
    TARGET.write_text(describe_metrics(), encoding="utf-8")

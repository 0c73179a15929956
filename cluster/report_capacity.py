"""Print how many workers Serve's wanted replicas need, as metrics that CloudWatch reads out of a log.

Runs beside the head. Each line is one JSON object in CloudWatch's embedded metric format:

- ``WantedWorkers``: workers into which all wanted replicas fit,
- ``MissingReplicas``: wanted replicas that do not run,
- ``QueuedCalls``: calls that wait inside the graph for a replica,
- ``SilentNodes``: nodes whose metrics cannot be read,
- ``AdmissionWaitS``: how long a document that comes now waits, in the worst case,
- ``PagesRead``, ``PagesFailed``, ``DocumentsRefused``, ``ServiceErrors``, ``RequestsUnchecked``: since the
  line before (as the alerts in observability/rules.yaml).

When the head does not answer no line is printed: no figure is better than a wrong one.
"""

import json
import math
import os
import re
import sys
import time
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_PERIOD_S = 30
_NAMESPACE = "OcrServe"
# Ray's own precision of resources: exact sums need whole numbers.
_UNITS = 10_000
# Counters of docs/metrics.md, as Ray's agents name them, by the figure that they make.
_GROWING = {
    "PagesRead": ("ocr_pages_total", 'outcome="read"'),
    "PagesFailed": ("ocr_pages_total", 'outcome="(?!read")'),
    "DocumentsRefused": ("ocr_admission_refusals_total", ""),
    "ServiceErrors": (
        "ocr_errors_total",
        'code="(?:internal_error|stage_failed|stage_unavailable|deadline_exceeded)"',
    ),
    "RequestsUnchecked": ("ocr_limits_unchecked_total", ""),
}
_QUEUED = re.compile(r"^ray_serve_deployment_queued_queries(?:\{[^}]*\})? ([0-9.eE+]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Replica:
    """What one replica needs: its deployment, cores, GPUs, and how many of its kind a node may have."""

    deployment: str
    cpus: int
    gpus: int
    max_per_node: int | None = None


@dataclass
class Node:
    """Room that is left on a worker."""

    cpus: int
    gpus: int
    held: dict[str, int] = field(default_factory=dict)

    def take(self, replica: Replica) -> bool:
        """Place the replica here; False when it does not fit."""
        count = self.held.get(replica.deployment, 0)
        full = replica.max_per_node is not None and count >= replica.max_per_node
        if full or replica.cpus > self.cpus or replica.gpus > self.gpus:
            return False
        self.cpus -= replica.cpus
        self.gpus -= replica.gpus
        self.held[replica.deployment] = count + 1
        return True


def list_replicas(applications: Mapping[str, Any]) -> list[Replica]:
    """All replicas that Serve wants, from the answer of `/api/serve/applications/`."""
    wanted: list[Replica] = []
    for name, deployment in _deployments(applications):
        resources = deployment.get("required_resources") or {}
        replica = Replica(
            name,
            _whole(resources.get("CPU", 0.0)),
            _whole(resources.get("GPU", 0.0)),
            (deployment.get("deployment_config") or {}).get("max_replicas_per_node"),
        )
        wanted += [replica] * int(deployment["target_num_replicas"])
    return wanted


def count_missing(applications: Mapping[str, Any]) -> int:
    """How many replicas are wanted and do not run."""
    missing = 0
    for _, deployment in _deployments(applications):
        running = sum(replica["state"] == "RUNNING" for replica in deployment["replicas"])
        missing += max(0, int(deployment["target_num_replicas"]) - running)
    return missing


def count_workers(replicas: Iterable[Replica], cpus: float, gpus: float) -> int:
    """How many nodes of this size hold the replicas: first fit, the largest first.

    A replica that fits on no node is left out: no number of nodes would help it.
    """
    size = (_whole(cpus), _whole(gpus))
    nodes: list[Node] = []
    for replica in sorted(replicas, key=lambda replica: (-replica.gpus, -replica.cpus, replica.deployment)):
        if replica.cpus > size[0] or replica.gpus > size[1] or replica.max_per_node == 0:
            continue
        if not any(node.take(replica) for node in nodes):
            nodes.append(Node(*size))
            nodes[-1].take(replica)
    return len(nodes)


def count_queued(pages: Iterable[str]) -> float:
    """The sum of all queues in these pages of Prometheus metrics."""
    values = (float(value) for page in pages for value in _QUEUED.findall(page))
    return sum(value for value in values if math.isfinite(value))


def list_values(pages: Iterable[str], metric: str, label: str = "") -> list[float]:
    """The values of a metric of the service in these pages, of the series in which the pattern is found."""
    series = re.compile(rf"^ray_{metric}(\{{[^}}]*\}})? ([0-9.eE+-]+)$", re.MULTILINE)
    found = [match.groups(default="") for page in pages for match in series.finditer(page)]
    values = [float(value) for labels, value in found if re.search(label, labels)]
    return [value for value in values if math.isfinite(value)]


class Growth:
    """What counters have grown by since they were looked at before; nothing at the first look."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}

    def measure(self, pages: Sequence[str]) -> dict[str, float]:
        """Growth by figure. A node that left takes its counts along: a fall is no growth."""
        sums = {name: sum(list_values(pages, *wanted)) for name, wanted in _GROWING.items()}
        before, self._sums = self._sums or sums, sums
        return {name: max(0.0, value - before[name]) for name, value in sums.items()}


def format_metrics(cluster: str, values: Mapping[str, float], now_ms: int) -> str:
    """One line of CloudWatch's embedded metric format."""
    metrics = [{"Name": name, "Unit": "Count"} for name in values]
    directive = {"Namespace": _NAMESPACE, "Dimensions": [["Cluster"]], "Metrics": metrics}
    return json.dumps(
        {"_aws": {"Timestamp": now_ms, "CloudWatchMetrics": [directive]}, "Cluster": cluster, **values}
    )


class Head:
    """The head's HTTP interface on this machine."""

    def __init__(self, port: int, token: str) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, path: str) -> Any:
        """The JSON answer to a GET. Raises `OSError` when there is none."""
        return json.loads(self._read(self._base + path, self._headers))

    def read_metrics(self) -> tuple[list[str], int]:
        """The metrics pages of all nodes, and how many nodes did not answer."""
        targets: Sequence[str] = [
            target for group in self.ask("/api/prometheus/sd") for target in group["targets"]
        ]
        pages = []
        for target in targets:
            try:
                pages.append(self._read(f"http://{target}/metrics", {}))
            except OSError:
                continue
        return pages, len(targets) - len(pages)

    def _read(self, url: str, headers: Mapping[str, str]) -> str:
        request = urllib.request.Request(url, headers=dict(headers))
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())


def report(head: Head, growth: Growth, cluster: str, cpus: float, gpus: float) -> str:
    """One line about this moment. Raises `OSError` or `ValueError` when the head does not answer."""
    applications = head.ask("/api/serve/applications/")
    pages, silent = head.read_metrics()
    return format_metrics(
        cluster,
        {
            "WantedWorkers": count_workers(list_replicas(applications), cpus, gpus),
            "MissingReplicas": count_missing(applications),
            "QueuedCalls": count_queued(pages),
            "SilentNodes": silent,
            "AdmissionWaitS": max(list_values(pages, "ocr_admission_wait_seconds"), default=0.0),
            **growth.measure(pages),
        },
        int(time.time() * 1000),
    )


def main() -> None:
    """Report until the process is ended."""
    head = Head(int(os.environ["PORT_DASHBOARD"]), os.environ.get("RAY_AUTH_TOKEN", ""))
    growth = Growth()
    cluster = os.environ["OCR_CLUSTER_NAME"]
    cpus, gpus = float(os.environ.get("OCR_WORKER_CPUS", "4")), float(os.environ.get("OCR_WORKER_GPUS", "1"))
    while True:
        try:
            print(report(head, growth, cluster, cpus, gpus), flush=True)
        except (OSError, ValueError, KeyError) as error:
            print(f"No figures: {error}", file=sys.stderr, flush=True)
        time.sleep(_PERIOD_S)


def _deployments(applications: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for application, details in (applications.get("applications") or {}).items():
        for name, deployment in (details.get("deployments") or {}).items():
            yield f"{application}/{name}", deployment


def _whole(amount: float) -> int:
    return round(amount * _UNITS)


if __name__ == "__main__":
    main()

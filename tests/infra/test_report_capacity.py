import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from paths import ROOT


@pytest.fixture(scope="module")
def reporter() -> ModuleType:
    # A program beside the entry points, in no package.
    return load(ROOT / "cluster" / "report_capacity.py")


def load(path: Path) -> ModuleType:
    import sys

    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Data classes look their module up.
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def deployment(
    wanted: int, cpus: float, gpus: float = 0.0, running: int = 0, **config: Any
) -> dict[str, Any]:
    return {
        "target_num_replicas": wanted,
        "required_resources": {"CPU": cpus, "GPU": gpus},
        "deployment_config": config,
        "replicas": [{"state": "RUNNING"}] * running,
    }


def applications(**deployments: dict[str, Any]) -> dict[str, Any]:
    return {"applications": {"ocr": {"deployments": deployments}}}


# The profile gpu-t4: one graph fills the four cores of a g4dn.xlarge exactly.
def graph(count: int) -> dict[str, Any]:
    return applications(
        Ingress=deployment(count, 0.75),
        Renderer=deployment(count, 0.5),
        Orientation=deployment(count, 0.25, 0.1),
        Detection=deployment(count, 0.75, 0.3),
        Recognition=deployment(2 * count, 0.75, 0.3),
        Layout=deployment(count, 0.125),
        Table=deployment(count, 0.125),
    )


@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_one_graph_fills_one_worker(reporter: ModuleType, count: int) -> None:
    assert reporter.count_workers(reporter.list_replicas(graph(count)), 4, 1) == count


def test_a_replica_more_needs_a_worker_more(reporter: ModuleType) -> None:
    wanted = graph(2)
    wanted["applications"]["ocr"]["deployments"]["Recognition"]["target_num_replicas"] += 1
    assert reporter.count_workers(reporter.list_replicas(wanted), 4, 1) == 3


def test_gpus_run_out_before_cores(reporter: ModuleType) -> None:
    wanted = applications(Recognition=deployment(4, 0.1, 0.5))
    assert reporter.count_workers(reporter.list_replicas(wanted), 4, 1) == 2


def test_a_limit_of_replicas_a_node_spreads_them(reporter: ModuleType) -> None:
    wanted = applications(Ingress=deployment(3, 0.5, max_replicas_per_node=1))
    assert reporter.count_workers(reporter.list_replicas(wanted), 4, 1) == 3


def test_a_replica_that_fits_nowhere_asks_for_no_worker(reporter: ModuleType) -> None:
    wanted = applications(Huge=deployment(1, 8), Small=deployment(1, 1))
    assert reporter.count_workers(reporter.list_replicas(wanted), 4, 1) == 1


def test_tenths_of_a_gpu_add_up_exactly(reporter: ModuleType) -> None:
    wanted = applications(Tenth=deployment(10, 0.1, 0.1))
    assert reporter.count_workers(reporter.list_replicas(wanted), 4, 1) == 1


def test_nothing_deployed_needs_no_worker(reporter: ModuleType) -> None:
    assert reporter.count_workers(reporter.list_replicas({"applications": {}}), 4, 1) == 0


def test_replicas_that_do_not_run_are_missing(reporter: ModuleType) -> None:
    wanted = applications(A=deployment(3, 1, running=1), B=deployment(1, 1, running=2))
    assert reporter.count_missing(wanted) == 2


def test_queues_of_all_nodes_are_added(reporter: ModuleType) -> None:
    page = (
        "# HELP ray_serve_deployment_queued_queries calls\n"
        'ray_serve_deployment_queued_queries{deployment="Recognition"} 3.0\n'
        'ray_serve_deployment_queued_queries{deployment="Detection"} 2.0\n'
        'ray_serve_deployment_queued_queries_total{deployment="Detection"} 90.0\n'
    )
    assert reporter.count_queued([page, "ray_serve_deployment_queued_queries 1.0\n", "nothing"]) == 6


def write_counters(read: float, failed: float, wait_s: float = 0.0) -> str:
    """What a node's agent says of pages."""
    return (
        "# TYPE ray_ocr_pages_total counter\n"
        f'ray_ocr_pages_total{{outcome="read",replica="a"}} {read}\n'
        f'ray_ocr_pages_total{{outcome="malformed_pdf",replica="a"}} {failed}\n'
        f'ray_ocr_errors_total{{code="stage_failed",route="/ocr"}} {failed}\n'
        f'ray_ocr_errors_total{{code="malformed_image",route="/ocr"}} 77.0\n'
        f'ray_ocr_admission_wait_seconds{{replica="a"}} {wait_s}\n'
    )


def test_counters_are_reported_by_what_they_grew(reporter: ModuleType) -> None:
    """Over all nodes, nothing at the first look, and no fall when a node takes its counts along."""
    growth = reporter.Growth()
    first = growth.measure([write_counters(10, 1), write_counters(5, 0)])
    assert set(first.values()) == {0.0}
    second = growth.measure([write_counters(12, 1), write_counters(8, 2)])
    assert (second["PagesRead"], second["PagesFailed"], second["ServiceErrors"]) == (5, 2, 2)
    assert growth.measure([write_counters(12, 1)])["PagesRead"] == 0
    assert growth.measure([write_counters(15, 1)])["PagesRead"] == 3


def test_the_longest_wait_of_all_ingresses_counts(reporter: ModuleType) -> None:
    pages = [write_counters(0, 0, 3.5), write_counters(0, 0, 12.25)]
    assert max(reporter.list_values(pages, "ocr_admission_wait_seconds")) == 12.25


def test_a_line_is_what_cloudwatch_reads_metrics_from(reporter: ModuleType) -> None:
    line = json.loads(reporter.format_metrics("ocr-prod", {"WantedWorkers": 3}, 1_700_000_000_000))
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "OcrServe",
        "Dimensions": [["Cluster"]],
        "Metrics": [{"Name": "WantedWorkers", "Unit": "Count"}],
    }
    assert line["_aws"]["Timestamp"] == 1_700_000_000_000
    assert line["WantedWorkers"] == 3
    assert line["Cluster"] == "ocr-prod"

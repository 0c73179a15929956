"""Metrics of the whole cluster, readiness, one request's id and trace everywhere: on a real cluster."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from ray import serve

from dashboards import find_empty, find_promtool
from make_dashboard import find_metrics, list_queries
from otlp_receiver import OtlpReceiver, receiving_traces
from paths import FIXTURES, ROOT
from replicas import pids_of
from serve_watching import check_tree, count_requests, counted_by, read_lines, read_metrics, wait_for

# Starting the application takes as long as all tests together.
pytestmark = [pytest.mark.serve, pytest.mark.timeout(420)]

LETTER = (FIXTURES / "letter.png").read_bytes()
ONE_LINE = (FIXTURES / "one_line.png").read_bytes()
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def traces() -> Iterator[OtlpReceiver]:
    """Where the replicas send their spans."""
    with receiving_traces() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def stall_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recogniser that finds it stalls."""
    return tmp_path_factory.mktemp("faults") / "stall"


@pytest.fixture(scope="module", autouse=True)
def app(
    cluster, traces: OtlpReceiver, stall_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The repository's configuration, deployed as an operator does, with everything switched on."""
    config = yaml.safe_load((ROOT / "serve_config.yaml").read_text())
    application = config["applications"][0]
    run = {"fake_stall_file": str(stall_file)}
    application["args"] = {
        "profile": "cpu",
        "engine": "fake",
        "overrides": {
            "ingress": {"replicas": {"num_replicas": 2}},
            "recognition": {"replicas": {"num_replicas": 1}, "run": run, "stall_after_s": 5.0},
            "layout": None,
            "table": None,
        },
    }
    application["runtime_env"] = {
        "env_vars": {
            "STAGE_LOG": "stderr",
            "SLOW_REQUEST_S": "0.0001",
            "OTEL_EXPORTER_OTLP_ENDPOINT": traces.url,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
    }
    path = tmp_path_factory.mktemp("config") / "serve.yaml"
    path.write_text(yaml.safe_dump(config))
    command = [str(Path(sys.executable).with_name("serve")), "deploy", str(path), "-a", cluster.dashboard_url]
    subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=ROOT)
    wait_for(state_of_app, lambda state: state == "RUNNING", 240)
    yield
    serve.delete("ocr")


def state_of_app() -> str:
    application = serve.status().applications.get("ocr")
    return "" if application is None else application.status


def test_requests_are_counted_once_whoever_answers_and_whoever_dies(http: httpx.Client) -> None:
    """Under load with two replicas; kill -9 of one: the sum is what was answered, and never falls."""
    # Of the applications before this one, whose counts the node still shows.
    others = counted_by(http)
    before = count_requests(http)

    def post(_: int) -> bool:
        """Whether a replica answered; the proxy alone does not send the service's headers."""
        try:
            answer = http.post("/ocr", files={"file": ONE_LINE})
        except httpx.TransportError:
            return False
        return "x-content-type-options" in answer.headers

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(post, range(60)))
    wait_for(lambda: count_requests(http), lambda count: count >= before + 60)
    assert count_requests(http) == before + 60
    assert len(counted_by(http) - others) == 2
    victim = pids_of("Ingress")[0]
    os.kill(victim, signal.SIGKILL)
    seen = [before + 60]
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(post, index) for index in range(60)]
        while not all(answer.done() for answer in answers):
            # Who asks the dead replica has no answer, either.
            with contextlib.suppress(AssertionError, httpx.TransportError):
                seen.append(count_requests(http))
        answered = sum(answer.result() for answer in answers)
    assert answered >= 30
    wait_for(lambda: count_requests(http), lambda count: count >= before + 60 + answered)
    seen.append(count_requests(http))
    assert seen == sorted(seen)
    assert seen[-1] == before + 60 + answered
    wait_for(lambda: pids_of("Ingress"), lambda pids: len(pids) == 2 and victim not in pids, 90)


def test_every_metric_of_a_reading_is_shown(http: httpx.Client) -> None:
    """With the names and labels of the table, those of the node and the replica, and none of Ray's noise."""
    http.post("/ocr", files={"file": LETTER})
    http.post("/ocr", files={"file": b"no document"})
    wanted = {
        "ocr_requests_total",
        "ocr_request_seconds_bucket",
        "ocr_requests_in_flight",
        "ocr_errors_total",
        "ocr_pages_total",
        "ocr_lines_total",
        "ocr_admission_wait_seconds",
        "ocr_documents_bytes",
        "ocr_stage_items_total",
        "ocr_stage_batches_total",
        "ocr_stage_cost_total",
        "ocr_stage_seconds_total",
        "ocr_stage_pixels_total",
        "ocr_stage_batch_seconds_bucket",
        "ocr_stage_batch_items_bucket",
        "ocr_replica_memory_bytes",
        "ocr_node_up",
        "ocr_nodes_gone",
    }
    samples: dict[str, list[Any]] = {}

    def look() -> set[str]:
        """What was shown so far: a page has the gauges that came since the page before it."""
        samples.update(read_metrics(http))
        return wanted - samples.keys()

    wait_for(look, lambda missing: not missing)
    parts = {sample.labels["part"] for sample in samples["ocr_stage_seconds_total"]}
    assert parts >= {"queue", "pre", "network", "post"}
    codes = {sample.labels["code"] for sample in samples["ocr_errors_total"]}
    assert "unsupported_media_type" in codes
    holders = {"ingress", "renderer", "detection", "recognition", "documents", "extraction"}
    shown: set[str] = set()

    def look_again() -> set[str]:
        """Who has shown his memory so far: a page has the gauges that came since the page before it."""
        memory = read_metrics(http).get("ocr_replica_memory_bytes", [])
        shown.update(sample.labels["stage"] for sample in memory)
        return shown

    wait_for(look_again, lambda seen: seen >= holders)
    for sample in samples["ocr_stage_items_total"]:
        assert sample.labels.keys() == {"deployment", "replica", "stage", "node"}
    assert "ray_serve_deployment_replica_starts_total" in read_metrics(http, "serve")


# Nothing to say where there is no GPU, no language model, no refusal, no job, and nobody who leaves.
WITHOUT_SAMPLES = {
    "ocr_jobs",
    "ocr_job_files_total",
    "ocr_job_files_waiting",
    "ocr_job_pages_total",
    "ray_node_gpus_utilization",
    "ocr_llm_requests_total",
    "ocr_admission_refusals_total",
    "ocr_stage_dropped_total",
    "ocr_documents_lookups_total",
    "ocr_extractions_total",
}


def test_the_dashboard_has_something_to_show(http: httpx.Client, tmp_path: Path) -> None:
    """Every query of it, evaluated over what the service says: names and labels are as it asks for them."""
    samples: dict[str, list[Any]] = {}
    queries = [query for query in list_queries() if not find_metrics(query) & WITHOUT_SAMPLES]
    assert len(queries) > 20
    asked = set().union(*map(find_metrics, queries))

    def look_again() -> set[str]:
        """What was shown so far: a page has the gauges that came since the page before it."""
        samples.update(read_metrics(http, "serve"))
        return asked - samples.keys()

    wait_for(look_again, lambda missing: not missing)
    promtool = find_promtool()
    if promtool is None:
        pytest.skip("promtool is not installed: `make check-alerts` fetches it")
    shown = [sample for name in asked for sample in samples[name]]
    empty = find_empty(promtool, shown, queries, tmp_path)
    assert {query for query in empty if 'kind="gpu"' not in query} == set()


def test_metrics_need_the_scope(cluster) -> None:
    """Nobody reads them without a key."""
    assert httpx.get(f"{cluster.http_url}/metrics").status_code == 401


def test_one_id_is_in_header_lines_and_trace(cluster, http: httpx.Client, traces: OtlpReceiver) -> None:
    """The client's header, the ingress's line, the slow line, the stages' lines and one trace."""
    headers = {"x-request-id": "follow-me-1", "traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01"}
    answer = http.post("/ocr", files={"file": LETTER}, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["x-request-id"] == "follow-me-1"
    lines = wait_for(lambda: read_lines(cluster.logs, "follow-me-1"), lambda lines: len(lines) >= 5)
    by_event = {line["event"]: line for line in lines}
    assert by_event["request"]["trace_id"] == TRACE_ID
    assert by_event["request"]["status"] == 200
    assert by_event["slow_request"]["stage_ms"].keys() >= {"load", "detection", "recognition"}
    stages = {line["stage"] for line in lines if line["event"] == "stage"}
    assert stages == {"orientation", "detection", "recognition"}
    spans = wait_for(
        lambda: traces.trace(TRACE_ID),
        lambda spans: {"POST /ocr", "recognition.batch", "detection.batch"} <= {span.name for span in spans},
    )
    check_tree(spans)
    root = next(span for span in spans if span.name == "POST /ocr")
    assert root.parent_id == "00f067aa0ba902b7"
    assert root.attributes["request_id"] == "follow-me-1"
    assert {span.service for span in spans} == {"ocr-serve"}
    assert not any(text in str(span) for span in spans for text in answer.json()["text"].split())


def test_a_stage_that_stalls_is_seen_and_replaced(http: httpx.Client, stall_file: Path) -> None:
    """`/readyz` names it within 30 s, who waits for it gets a 503, and the successor reads again."""
    assert http.get("/livez").status_code == 200
    ready = wait_for(lambda: http.get("/readyz"), lambda answer: answer.status_code == 200)
    assert ready.json()["stages"]["recognition"] == "ok"
    (victim,) = pids_of("Recognition")
    stall_file.touch()
    with ThreadPoolExecutor(1) as pool:
        start_s = time.monotonic()
        waiting = pool.submit(http.post, "/ocr", files={"file": ONE_LINE})
        red = wait_for(lambda: http.get("/readyz"), lambda answer: answer.status_code == 503, 30)
        assert time.monotonic() - start_s < 30
        assert red.json()["stages"]["recognition"] != "ok"
        assert red.json()["stages"]["detection"] == "ok"
        assert int(red.headers["retry-after"]) > 0
        assert http.get("/livez").status_code == 200
        stalled = waiting.result(timeout=30)
    assert (stalled.status_code, stalled.json()["code"]) == (503, "stage_unavailable")
    if victim in pids_of("Recognition"):
        assert http.post("/ocr", files={"file": ONE_LINE}).status_code in (200, 503)
    wait_for(lambda: pids_of("Recognition"), lambda pids: bool(pids) and victim not in pids, 120)
    wait_for(lambda: http.get("/readyz").status_code, lambda status: status == 200)
    assert http.post("/ocr", files={"file": ONE_LINE}).status_code == 200

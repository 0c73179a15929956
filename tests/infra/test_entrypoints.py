import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.nodes import run_node
from paths import ROOT


@contextmanager
def answering(status: int | None) -> Iterator[int]:
    """The port of a server whose every answer has this status, or of nobody."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/health"
            self.send_response(status or 500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if status is None:
        server.server_close()
        yield server.server_port
        return
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


SCRIPTS = sorted(path.name for path in (ROOT / "cluster").glob("*.sh"))
TOKEN = {"RAY_AUTH_TOKEN": "t0ken"}
WORKER = {**TOKEN, "RAY_HEAD_HOST": "head.ocr.internal"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_parses(script: str) -> None:
    subprocess.run(["bash", "-n", str(ROOT / "cluster" / script)], check=True)


def test_shellcheck_finds_nothing() -> None:
    shellcheck = shutil.which("shellcheck") or str(Path(sys.executable).parent / "shellcheck")
    files = [str(ROOT / "cluster" / script) for script in SCRIPTS]
    result = subprocess.run([shellcheck, "-x", *files], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_what_a_container_starts_is_executable() -> None:
    for script in ("entrypoint-head.sh", "entrypoint-worker.sh", "check-health.sh"):
        assert os.access(ROOT / "cluster" / script, os.X_OK)


@pytest.mark.parametrize(("part", "variables"), [("head", {}), ("worker", {"RAY_HEAD_HOST": "head"})])
def test_a_node_without_a_token_does_not_start(tmp_path: Path, part: str, variables: dict[str, str]) -> None:
    run = run_node(tmp_path, part, variables, stop=False)
    assert run.status == 64
    assert "RAY_AUTH_TOKEN must be set" in run.errors
    assert run.arguments == []


def test_a_worker_without_a_head_does_not_start(tmp_path: Path) -> None:
    run = run_node(tmp_path, "worker", TOKEN, stop=False)
    assert run.status != 0
    assert run.arguments == []
    assert "RAY_HEAD_HOST must be set" in run.errors


def test_the_head_offers_ray_no_cores_and_keeps_its_dashboard_to_itself(tmp_path: Path) -> None:
    run = run_node(tmp_path, "head", TOKEN)
    assert run.find("num-cpus") == "0"
    assert run.find("num-gpus") == "0"
    assert run.find("dashboard-host") == "127.0.0.1"
    assert run.find("node-ip-address") == "10.40.0.7"
    assert run.environment["RAY_AUTH_MODE"] == "token"


def test_a_token_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("fr0m-a-file\n")
    run = run_node(tmp_path, "head", {"RAY_AUTH_TOKEN_PATH": str(file)})
    assert run.environment["RAY_AUTH_TOKEN"] == "fr0m-a-file"


def test_the_head_serves_an_operator_and_an_autoscaler_where_it_is_told_to(tmp_path: Path) -> None:
    more = {"OCR_DASHBOARD_HOST": "0.0.0.0", "OCR_AUTOSCALING_CONFIG": "/root/ray_bootstrap_config.yaml"}
    run = run_node(tmp_path, "head", {**TOKEN, **more})
    assert run.find("dashboard-host") == "0.0.0.0"
    assert run.find("autoscaling-config") == "/root/ray_bootstrap_config.yaml"


def test_the_head_trusts_its_store_by_certificate_and_shows_its_password(tmp_path: Path) -> None:
    store = {"RAY_REDIS_ADDRESS": "rediss://store:6379", "RAY_REDIS_PASSWORD": "s3cret"}
    run = run_node(tmp_path, "head", {**TOKEN, **store})
    assert run.find("redis-password") == "s3cret"
    assert run.environment["RAY_REDIS_CA_CERT"] == "/certificates.pem"


def test_a_head_without_a_store_starts(tmp_path: Path) -> None:
    run = run_node(tmp_path, "head", TOKEN)
    assert not any(word.startswith("--redis-password") for word in run.arguments)
    assert run.status == 0
    assert run.order == ["ended"]


def test_a_worker_that_is_told_to_stop_drains_first(tmp_path: Path) -> None:
    run = run_node(tmp_path, "worker", {**WORKER, "OCR_DRAIN_S": "45"})
    assert run.order == ["drained head.ocr.internal:6379 10.40.0.7 45", "ended"]
    assert run.status == 0


def test_a_worker_offers_what_it_is_told_to(tmp_path: Path) -> None:
    run = run_node(tmp_path, "worker", {**WORKER, "OCR_NODE_CPUS": "4", "OCR_NODE_GPUS": "1"})
    assert run.find("num-cpus") == "4"
    assert run.find("num-gpus") == "1"
    assert run.find("address") == "head.ocr.internal:6379"


@pytest.mark.parametrize(("ray_status", "status"), [("3", 3), ("0", 70)])
def test_a_node_whose_ray_ends_by_itself_fails(tmp_path: Path, ray_status: str, status: int) -> None:
    run = run_node(tmp_path, "worker", {**WORKER, "FAKE_EXIT": ray_status}, stop=False)
    assert run.status == status


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (None, False)])
def test_a_health_check_says_what_the_service_says(status: int | None, healthy: bool) -> None:
    with answering(status) as port:
        script = str(ROOT / "cluster" / "check-health.sh")
        result = subprocess.run([script, "service"], env=os.environ | {"PORT": str(port)}, check=False)
    assert (result.returncode == 0) == healthy


def test_a_health_check_of_nothing_is_an_error() -> None:
    assert subprocess.run([str(ROOT / "cluster" / "check-health.sh")], check=False).returncode == 64


def test_ports_of_the_environment_win_over_the_file(tmp_path: Path) -> None:
    run = run_node(tmp_path, "worker", {**WORKER, "PORT_GCS": "7000", "PORT_METRICS": "7001"})
    assert run.find("address") == "head.ocr.internal:7000"
    assert run.find("metrics-export-port") == "7001"

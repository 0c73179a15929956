"""The GPU smoke test as an operator runs it, against servers that answer as services on several machines."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from paths import ROOT

KEY = "the-key"
HEALTH = {
    "version": {"paddle": "3.2.2", "cuda": None, "compiled_with_cuda": True},
    "stages": {"detection": {"device": "gpu:0"}, "layout": {"device": "CPU"}},
}
CHECK = {"ok": True, "compiled_with_cuda": True, "device_count": 1, "reason": None}


@contextmanager
def serving(health: Any, check: Any, health_status: int = 200) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content, status = (health, health_status) if self.path == "/health" else (check, 200)
            if self.path == "/debug/paddle" and self.headers["x-api-key"] != KEY:
                status = 401
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def verify(url: str, key: str = KEY) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "cluster" / "verify_gpu.py"), url]
    environment = os.environ | {"API_KEY": key}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_a_service_on_a_gpu_passes() -> None:
    with serving(HEALTH, CHECK) as url:
        result = verify(url)
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("yes") == 4


@pytest.mark.parametrize(
    ("health", "check", "said"),
    [
        ({"version": {"compiled_with_cuda": False}}, {}, "NO   Paddle is built with CUDA"),
        ({}, {"compiled_with_cuda": False}, "NO   Paddle is built with CUDA"),
        ({}, {"device_count": 0}, "NO   Paddle sees a GPU (0 GPUs)"),
        ({}, {"device_count": None}, "NO   Paddle sees a GPU"),
        ({}, {"ok": False, "reason": "it hung"}, "NO   Paddle passes its own check (it hung)"),
        ({"stages": {"detection": {"device": "cpu"}}}, {}, "NO   A stage runs on the GPU"),
    ],
)
def test_one_no_is_enough(health: dict[str, Any], check: dict[str, Any], said: str) -> None:
    with serving(HEALTH | health, CHECK | check) as url:
        result = verify(url)
    assert result.returncode == 1
    assert said in result.stdout


def test_a_service_that_cannot_be_asked_is_told_from_one_without_a_gpu() -> None:
    with serving(HEALTH, CHECK) as url:
        refused = verify(url, key="another")
    assert (refused.returncode, "answered 401" in refused.stderr) == (2, True)
    with serving(HEALTH, CHECK, health_status=503) as url:
        assert verify(url).returncode == 2
    # Its server is gone.
    assert verify(url).returncode == 2
    with serving([], CHECK) as url:
        assert verify(url).returncode == 2

"""Calls of Ray's dashboard, answered by a real HTTP server that behaves as it does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from serve_app.rollout.dashboard import Dashboard, DashboardError, read_token
from serve_app.rollout.plan import ClusterSize

TOKEN = "a-token-of-the-cluster"
NODES = [
    {"state": "ALIVE", "resources_total": {"CPU": 4.0, "GPU": 1.0}},
    {"state": "ALIVE", "resources_total": {"memory": 1.0}},
    {"state": "DEAD", "resources_total": {"CPU": 16.0}},
]


class Handler(BaseHTTPRequestHandler):
    put: ClassVar[list[object]] = []

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.answer(401, "Unauthorized: Missing authentication token")
        elif self.path == "/api/serve/applications/":
            self.answer(200, json.dumps({"applications": {}}))
        elif self.path.startswith("/api/v0/nodes?"):
            self.answer(200, json.dumps({"result": True, "data": {"result": {"result": NODES}}}))
        else:
            self.answer(200, "<html>another service</html>")

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body == {"applications": "bad"}:
            self.answer(400, "ValidationError(...)" + "x" * 5000)
            return
        self.put.append(body)
        self.answer(200, "")

    def answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Tests need no log."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_it_reads_what_runs_and_how_large_the_cluster_is(address: str) -> None:
    """Dead nodes do not count."""
    dashboard = Dashboard(address + "/", TOKEN)
    assert dashboard.fetch_details() == {"applications": {}}
    assert dashboard.fetch_size() == ClusterSize(4, 1.0)


def test_no_proxy_comes_before_a_tunnel(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Companies set these for everything; the tunnel ends on this machine."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert Dashboard(address, TOKEN).fetch_details() == {"applications": {}}


def test_it_puts_a_config(address: str) -> None:
    Dashboard(address, TOKEN).put_config({"applications": [1]})
    assert Handler.put[-1] == {"applications": [1]}


def test_without_the_token_it_says_what_is_missing(address: str) -> None:
    with pytest.raises(DashboardError, match="RAY_AUTH_TOKEN") as fault:
        Dashboard(address, "wrong").fetch_details()
    assert fault.value.status == 401
    assert "wrong" not in str(fault.value)


def test_a_refusal_is_told_in_short(address: str) -> None:
    with pytest.raises(DashboardError, match=r"answered 400: ValidationError") as fault:
        Dashboard(address, TOKEN).put_config({"applications": "bad"})
    assert len(str(fault.value)) < 1000


@pytest.mark.parametrize("wrong", ["ray://head:10001", "head:8265", "file:///etc/passwd"])
def test_only_http_is_an_address(wrong: str) -> None:
    with pytest.raises(DashboardError, match="no address of a dashboard"):
        Dashboard(wrong)


def test_a_closed_port_is_named() -> None:
    with pytest.raises(DashboardError, match=r"127\.0\.0\.1:1 cannot be reached"):
        Dashboard("http://127.0.0.1:1").fetch_details()


def test_the_token_comes_from_where_ray_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable, or the file where the mode asks for a token; none where nothing asks."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "token"
    path.write_text("from-a-file\n")
    assert read_token({}) is None
    assert read_token({"RAY_AUTH_TOKEN": " t "}) == "t"
    assert read_token({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(path)}) == "from-a-file"
    with pytest.raises(DashboardError, match="there is none"):
        read_token({"RAY_AUTH_MODE": "token"})

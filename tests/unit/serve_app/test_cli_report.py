"""`ocr-serve report`, as an operator types it."""

import json
import re
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from serve_app.cli import main
from serve_app.report.scrapes import parse_scrapes

from scrape_window import make_window

FIGURES = {
    "pages_per_s": 1.9,
    "ms_per_page": 526.0,
    "p50_ms": 2000.0,
    "p95_ms": 3100.0,
    "p99_ms": 3300.0,
    "cpu_s_per_page": 1.05,
    "memory_mib": 2100.0,
}
BENCH: dict[str, Any] = {
    "refused": 0,
    "cores": 2,
    "pages": 20,
    "rounds": 3,
    "figures": {"service@4": FIGURES, "rapidocr": FIGURES | {"pages_per_s": 1.15}},
    "accuracy": {"service": {"boc_f1": 0.97, "ned_sorted": 0.91}},
    "ratios": {"rapidocr": [1.65, 1.6, 1.7]},
    "first_ms_per_page": {"service@4": 600.0, "rapidocr": 900.0},
    "breakdown_cpu_s_per_page": {
        "networks": 0.9,
        "pre_and_post": 0.06,
        "replicas": 0.04,
        "ingress": 0.03,
        "ray": 0.02,
    },
    "efficiency": 0.86,
}


class Page(HTMLParser):
    """Which elements a page has, and what it would fetch."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "srcset")]

    def headings(self) -> list[str]:
        return re.findall(r"<h2>(.*?)</h2>", self.text)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "report.html"


def test_a_window_becomes_a_page_that_needs_nothing_else(tmp_path: Path, output: Path) -> None:
    """Charts inline; no script, nothing to fetch."""
    source = tmp_path / "window.txt"
    source.write_text(make_window())
    assert main(["report", str(source), "-o", str(output)]) == 0
    page = Page(output)
    assert page.fetched == []
    assert "script" not in page.tags
    assert "url(" not in page.text
    assert page.tags.count("svg") >= 6
    assert {"Requests a second", "Latency", "Stages", "Errors", "Memory"} <= set(page.headings())
    assert "nothing was measured" not in page.text


def test_a_bench_becomes_a_page(tmp_path: Path, output: Path) -> None:
    source = tmp_path / "bench.json"
    source.write_text(json.dumps(BENCH))
    assert main(["report", str(source), "-o", str(output)]) == 0
    page = Page(output)
    assert "1.65 ×" in page.text
    assert {"Pages a second", "Latency", "All figures", "Memory"} <= set(page.headings())


class Metrics(BaseHTTPRequestHandler):
    """A service whose counter grows with each look."""

    looks: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.looks.append(self.headers.get("x-api-key"))
        is_known = self.headers.get("x-api-key") == "a-key"
        text = f'ocr_requests_total{{status="200"}} {len(self.looks) * 10}\n' if is_known else "no"
        self.send_response(200 if is_known else 401)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Tests need no log."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/metrics"
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_a_running_service_is_sampled_with_the_key_of_the_environment(
    url: str, tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scrapes are kept, and make the same page again."""
    monkeypatch.setenv("API_KEY", "a-key")
    saved = tmp_path / "window.txt"
    sampling = ["--seconds", "0.2", "--every", "0.1", "--save", str(saved)]
    assert main(["report", "--url", url, *sampling, "-o", str(output)]) == 0
    scrapes = parse_scrapes(saved.read_text())
    assert len(scrapes) == 3
    first = output.read_text()
    assert main(["report", str(saved), "-o", str(output)]) == 0
    assert output.read_text() == first


def test_a_wrong_key_is_told(url: str, output: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("API_KEY", "another")
    assert main(["report", "--url", url, "-o", str(output)]) == 2
    assert "scope `metrics`" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize(
    "content",
    ["", "{", '{"figures": 1}', "[1]", "\x00\x01", json.dumps(BENCH | {"figures": {"service@4": {}}})],
)
def test_a_file_that_is_something_else_is_refused(content: str, tmp_path: Path, output: Path, capsys) -> None:
    source = tmp_path / "other"
    source.write_text(content)
    assert main(["report", str(source), "-o", str(output)]) == 2
    assert str(source) in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing.txt"],
        ["--url", "file:///etc/passwd"],
        ["--url", "http://127.0.0.1:1/metrics"],
        ["--url", "http://127.0.0.1:1/metrics", "--every", "0"],
    ],
)
def test_a_source_out_of_reach_is_refused(arguments: list[str], output: Path) -> None:
    assert main(["report", *arguments, "-o", str(output)]) == 2

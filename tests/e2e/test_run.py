"""`ocr-serve run`, as a user starts it: real models, real HTTP, Ctrl-C."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from paths import FIXTURES, ROOT
from service import Service, find_free_port, shell_environment

pytestmark = pytest.mark.e2e

# Ray's warnings of what is meant to be so on one machine; see `serve_app.controller_log`.
FALSE_ALARMS = ("Cannot deregister autoscaling state", "HTTPOptions.host=")
COMMAND = [str(Path(sys.executable).with_name("ocr-serve")), "run", "--profile", "cpu"]


def read_until_ready(process: "subprocess.Popen[str]") -> str:
    """What the command prints up to the line that says how to stop it."""
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if "Ctrl-C" in line:
            return printed
    raise AssertionError(f"the service ended early:\n{printed}")


def test_a_user_starts_the_service_reads_a_page_and_stops_it() -> None:
    """A key is made and printed once, the printed curl line works, Ctrl-C ends all."""
    port = find_free_port()
    environment = shell_environment() | {"PORT": str(port)}
    process = subprocess.Popen(
        COMMAND, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        printed = read_until_ready(process)
        assert not any(alarm in printed for alarm in FALSE_ALARMS), printed
        tree = psutil.Process(process.pid).children(recursive=True)
        curl = next(line.strip() for line in printed.splitlines() if line.strip().startswith("curl "))
        answer = subprocess.run(
            curl + " -s", shell=True, cwd=ROOT, capture_output=True, text=True, timeout=120
        )
        assert '"pages_processed":1' in answer.stdout, answer.stdout + answer.stderr
        key = re.search(r"x-api-key: ([\w-]{20,})", curl)
        assert key is not None
        with Service(f"http://127.0.0.1:{port}", key[1], psutil.Process(process.pid)).client() as client:
            health = client.get("/health").json()
            assert health["ready"] is True
            assert health["stages"]["recognition"]["model"] == "PP-OCRv6_small_rec"
        assert httpx.post(f"http://127.0.0.1:{port}/ocr", content=b"x").status_code == 401
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=90)
    assert process.returncode == 0
    _, alive = psutil.wait_procs(tree, timeout=30)
    assert not alive, [child.cmdline() for child in alive]


def test_the_dashboard_comes_when_asked() -> None:
    """At the address that is printed; without the flag none of its processes runs."""
    environment = shell_environment() | {"PORT": str(find_free_port())}
    for flags, is_there in (([], False), (["--dashboard"], True)):
        command = [*COMMAND, "--engine", "fake", *flags]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE)
        try:
            address = re.search(r"dashboard: (http://127\.0\.0\.1:\d+)", read_until_ready(process))
            assert (address is not None) is is_there
            if address is not None:
                applications = httpx.get(f"{address[1]}/api/serve/applications/").json()["applications"]
                assert applications["ocr"]["status"] == "RUNNING"
            tree = psutil.Process(process.pid).children(recursive=True)
            assert any("ray-dashboard" in " ".join(child.cmdline()) for child in tree) is is_there
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=90)


def test_the_printed_page_is_in_the_repository() -> None:
    """The first thing that a user tries must be there."""
    assert (FIXTURES / "letter.png").is_file()

"""The service as a user starts it: one process to start, one key, everything stopped at the end."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[1]
_STOP_TIMEOUT_S = 90


@dataclass(frozen=True)
class Service:
    """A running service."""

    url: str
    api_key: str
    process: psutil.Process

    def client(self, timeout_s: float = 300) -> httpx.Client:
        """A client with the service's key."""
        return httpx.Client(base_url=self.url, headers={"x-api-key": self.api_key}, timeout=timeout_s)

    def memory_bytes(self) -> int:
        """Proportional set size of the whole tree of processes: shared pages are counted once."""
        total = 0
        for process in [self.process, *self.process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += process.memory_full_info().pss
        return total


def find_free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on.

    Below those of outgoing connections, any of which may be taken before somebody listens.
    """
    for port in random.sample(range(10_000, 20_000), 1000):
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


# What the services of a test run keep: nothing of it is to be found in a home folder.
_DATA_DIR = tempfile.TemporaryDirectory(prefix="ocr-tests-")


def shell_environment() -> dict[str, str]:
    """The environment of a user's shell: without the key and proxy of a cluster that tests share."""
    foreign = ("API_KEY", "RAY_SERVE_")
    shell = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**shell, "OCR_DATA_DIR": _DATA_DIR.name}


@contextmanager
def running_service(
    *arguments: str, start_timeout_s: float = 180, environment: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """`ocr-serve run` with these arguments, ready to answer; interrupted as by Ctrl-C at the end."""
    port, key = find_free_port(), "a-key-for-this-run"
    # Thousands of requests would leave as many lines on the terminal.
    own = {"HOST": "127.0.0.1", "PORT": str(port), "API_KEY": key, "AUDIT_LOG": "off"}
    command = [str(Path(sys.executable).with_name("ocr-serve")), "run", *arguments]
    process = subprocess.Popen(
        command,
        env={**shell_environment(), **own, **(environment or {})},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    service = Service(f"http://127.0.0.1:{port}", key, psutil.Process(process.pid))
    try:
        _wait_until_ready(service, process, start_timeout_s)
        yield service
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(service: Service, process: "subprocess.Popen[bytes]", timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    with service.client(timeout_s=5) as client:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"the service ended with status {process.returncode}")
            with contextlib.suppress(httpx.TransportError):
                if client.get("/health").status_code == 200:
                    return
            time.sleep(0.5)
    raise TimeoutError(f"the service was not ready after {timeout_s} s")

"""A service of one's own for one run: what `ocr-serve run` starts, and what ends with its caller.

The service watches its standard input: when whoever started it ends, however that happens, the pipe closes
and the service stops itself.
"""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket

from serve_app.file_reading.failures import ServerUnusable

_HOST = "127.0.0.1"
_STOP_TIMEOUT_S = 90.0


@contextmanager
def embedded_service(profile: str, engine: str | None) -> Iterator[tuple[str, str]]:
    """The address and the key of a service that lasts as long as the block."""
    port, key = _find_port(), secrets.token_urlsafe(24)
    own = {"HOST": _HOST, "PORT": str(port), "API_KEY": key, "AUTH_MODE": "api-key"}
    # Its own key alone; and what was read for the user is no event of a shared service.
    dropped = ("API_KEYS", "API_KEYS_FILE", "API_KEYS_SECRET_ID")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    environment.setdefault("AUDIT_LOG", "off")
    command = [sys.executable, "-m", "serve_app.cli", "run", "--with-caller", "--profile", profile]
    process = subprocess.Popen(
        [*command, *(["--engine", engine] if engine else [])],
        env={**environment, **own},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        # Ctrl-C is for the caller, who then ends this in order.
        start_new_session=True,
    )
    try:
        _watch_start(process)
        yield f"http://{_HOST}:{port}", key
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _watch_start(process: "subprocess.Popen[bytes]") -> None:
    """Raise `ServerUnusable` when the service ends at once; later, its address tells."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        status = process.wait(2.0)
        raise ServerUnusable(f"The embedded service ended with status {status}.")


def _find_port() -> int:
    with contextlib.closing(socket()) as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def stop_with_caller() -> None:
    """End this process as by Ctrl-C when its standard input is closed."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()

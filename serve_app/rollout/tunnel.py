"""A tunnel to the head's dashboard through AWS Systems Manager: no port is opened to anybody.

The dashboard listens on the loopback interface of the head's own task, so the session ends inside that
container (`ecs:...`), not on the instance, from which it could not be reached.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from serve_app.rollout.aws_head import AwsFault, Head

DASHBOARD_PORT = 8265
_DOCUMENT = "AWS-StartPortForwardingSession"
_POLL_S = 0.1
_END_S = 10.0
_MAX_OUTPUT = 1000


@contextmanager
def open_tunnel(head: Head, timeout_s: float = 60.0) -> Iterator[str]:
    """The address of the head's dashboard on this machine while the tunnel is open. Raises `AwsFault`.

    The AWS CLI and the session manager's plugin do the work; both end with the tunnel.
    """
    program = shutil.which("aws")
    if program is None:
        raise AwsFault("the AWS CLI (aws) is not installed; it needs the session manager's plugin, too")
    port = _find_free_port()
    command = [
        program,
        "ssm",
        "start-session",
        "--region",
        head.region,
        "--target",
        head.target,
        "--document-name",
        _DOCUMENT,
        "--parameters",
        f'{{"portNumber":["{DASHBOARD_PORT}"],"localPortNumber":["{port}"]}}',
    ]
    with tempfile.TemporaryFile() as output:
        # A group of its own: Ctrl-C must not cut the tunnel while the deployment says how it stands.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            _wait_for(port, process, output, timeout_s)
            yield f"http://127.0.0.1:{port}"
        finally:
            _end(process)


def _wait_for(port: int, process: "subprocess.Popen[bytes]", output: IO[bytes], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        if process.poll() is not None:
            raise AwsFault(f"the session ended with status {process.returncode}: {_read(output)}")
        # The plugin listens when the session stands.
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if time.monotonic() > deadline:
            raise AwsFault(f"the session does not stand after {timeout_s:.0f} s: {_read(output)}")
        time.sleep(_POLL_S)


def _read(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read()[-_MAX_OUTPUT:].decode(errors="replace").strip() or "it says nothing"


def _end(process: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        # The whole group: the plugin is a child of the CLI.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _find_free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

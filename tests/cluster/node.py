"""Ray nodes as in containers: real entry points, each with a network, processes and files of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster.network import Host
from paths import ROOT

# Inside the namespaces: what a container runtime lays out. The entry point becomes the first process.
_LAY_OUT = """
set -e
hostname "$1"
mount -t tmpfs -o size=512m tmpfs /dev/shm
mount --bind "$2/hosts" /etc/hosts
mount --bind "$2/ray" /tmp/ray
mount --bind "$2/haproxy" /tmp/haproxy-serve
exec "$3"
"""
_PROGRAMS = Path(sys.executable).parent
_STOP_TIMEOUT_S = 120


@dataclass
class Node:
    """A running entry point."""

    host: Host
    process: subprocess.Popen[bytes]
    log: Path

    def terminate(self) -> None:
        """What a container runtime sends to the first process."""
        os.kill(self._first_process(), signal.SIGTERM)

    def kill(self) -> None:
        """End all processes of the node at once: they go with their first one."""
        os.kill(self._first_process(), signal.SIGKILL)
        self.process.wait(_STOP_TIMEOUT_S)

    def run(
        self, *command: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of ours on this host, among the node's processes and files."""
        inside = ["nsenter", "--target", str(self._first_process()), "--net", "--mount", "--pid", "--uts"]
        return subprocess.run(
            [*inside, *command],
            env={**make_environment(), **(environment or {})},
            capture_output=True,
            text=True,
            timeout=_STOP_TIMEOUT_S,
            check=False,
        )

    def _first_process(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        end = time.monotonic() + 10
        while not (pids := children.read_text().split()):
            assert time.monotonic() < end, f"{self.host.name} has no process"
            time.sleep(0.01)
        return int(pids[0])


def start_node(host: Host, part: str, folder: Path, names_file: str, variables: Mapping[str, str]) -> Node:
    """Start an entry point (``part``: head, worker) on a host, with this environment alone."""
    for name in ("ray", "haproxy"):
        (folder / name).mkdir(parents=True)
        Path("/tmp", "ray" if name == "ray" else "haproxy-serve").mkdir(exist_ok=True)
    (folder / "hosts").write_text(names_file)
    log = folder / "log"
    spaces = ["unshare", "--mount", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child"]
    command = [
        *("ip", "netns", "exec", host.namespace, *spaces),
        *("bash", "-c", _LAY_OUT, "bash", host.name, str(folder)),
        str(ROOT / "cluster" / f"entrypoint-{part}.sh"),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**make_environment(), **variables}, cwd="/", stdout=output, stderr=subprocess.STDOUT
        )
    return Node(host, process, log)


def make_environment() -> dict[str, str]:
    """What the image brings: programs on the path, and the service's own modules by its installation."""
    path = f"{_PROGRAMS}:{os.environ['PATH']}"
    return {
        "PATH": path,
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",
    }

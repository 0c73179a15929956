"""The proxy before a local cluster."""

import socket
from pathlib import Path

from serve_app.haproxy import has_haproxy, local_proxy, stands_behind_haproxy

SWITCH = "RAY_SERVE_ENABLE_HA_PROXY"


def test_two_clusters_have_nothing_in_common() -> None:
    """Neither files nor ports, and the files go with the cluster."""
    assert has_haproxy()
    with local_proxy({}) as one, local_proxy({}) as other:
        assert one[SWITCH] == other[SWITCH] == "1"
        folder = Path(one["RAY_SERVE_HAPROXY_SERVER_STATE_BASE"])
        assert folder.is_dir()
        shared = {name for name in one if one[name] == other[name]}
        assert not any(name.endswith("_PORT") or "HAPROXY" in name for name in shared)
    assert not folder.exists()


def test_its_ports_are_not_those_of_outgoing_connections() -> None:
    """The system may give any of those away between the choice and the start."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    with local_proxy({}) as variables:
        ports = [int(value) for name, value in variables.items() if name.endswith("_PORT")]
    assert len(set(ports)) == 5
    assert all(1024 < port < min(lowest, 30_000) for port in ports)


def test_two_clusters_give_their_replicas_different_ports() -> None:
    """Replicas share ports on purpose; those of another service must not be among them."""
    listening = []
    with local_proxy({}) as one:
        for port in range(*map(int, replica_ports(one))):
            listening.append(socket.create_server(("127.0.0.1", port), reuse_port=True))
        with local_proxy({}) as other:
            first, last = map(int, replica_ports(other))
    for server in listening:
        assert not first <= server.getsockname()[1] <= last
        server.close()
    assert last - first > 20


def replica_ports(variables: dict[str, str]) -> tuple[str, str]:
    """The first and the last port for replicas."""
    return (
        variables["RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT"],
        variables["RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT"],
    )


def test_it_can_be_switched_off() -> None:
    """The same variable as everywhere in Ray."""
    with local_proxy({SWITCH: "0"}) as variables:
        assert variables[SWITCH] == "0"
        assert not any("HAPROXY" in name for name in variables)
        assert variables["RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH"] == "serve_app.proxy_layers:make_layers"


def test_what_the_environment_says_stays() -> None:
    """An operator's own ports win."""
    with local_proxy({"RAY_SERVE_HAPROXY_STATS_PORT": "8404"}) as variables:
        assert variables["RAY_SERVE_HAPROXY_STATS_PORT"] == "8404"


def test_a_replica_knows_what_stands_before_it() -> None:
    """By the switch that Ray itself reads."""
    assert stands_behind_haproxy({SWITCH: "1"})
    assert not stands_behind_haproxy({SWITCH: "0"})
    assert not stands_behind_haproxy({})

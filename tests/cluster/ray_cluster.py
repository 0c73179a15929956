"""A cluster of a head and workers, looked after as ECS would: a node that ends by itself is started again."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from cluster.namespace_client import NamespaceClient
from cluster.network import Network
from cluster.node import Node, start_node
from cluster.ports import PORTS

API_KEY = "a-key-for-tests"
TOKEN = "0123456789abcdef0123456789abcdef"
# As terraform/modules/ray_service tells its tasks; the object store is smaller.
COMMON = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "1000",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
    "OCR_OBJECT_STORE_BYTES": "150000000",
}
# Ray gives a node 30 s to start, which a busy machine may exceed; ECS would try again, too.
_STARTS = 6


@dataclass
class Cluster:
    """Nodes by the names of their hosts: `head` and workers."""

    network: Network
    folder: Path
    store: Mapping[str, str]
    nodes: dict[str, Node] = field(default_factory=dict)
    _started: list[Node] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._dashboard = NamespaceClient(
            self.network.hosts["head"].namespace,
            f"http://127.0.0.1:{PORTS['PORT_DASHBOARD']}",
            {"authorization": f"Bearer {TOKEN}"},
        )

    def close(self) -> None:
        """End what still runs."""
        self._dashboard.close()
        for node in self._started:
            if node.process.poll() is None:
                node.kill()

    def start(self, name: str, **variables: str) -> Node:
        """Start a node's entry point; ``variables`` change its environment."""
        part = "head" if name == "head" else "worker"
        own = dict(self.store) if part == "head" else {"RAY_HEAD_HOST": "head", "API_KEY": API_KEY}
        own |= {} if part == "head" else {"OCR_NODE_CPUS": "2", "OCR_DRAIN_S": "90"}
        node = start_node(
            self.network.hosts[name],
            part,
            self.folder / f"{len(self._started):02}-{name}",
            self.network.names_file(),
            {**COMMON, "RAY_AUTH_TOKEN": TOKEN, **own, **variables},
        )
        self._started.append(node)
        return node

    def bring_up(self, *names: str) -> None:
        """Start these nodes and wait until the head counts each of them among the living."""
        for name in names:
            for _ in range(_STARTS):
                node = self.nodes[name] = self.start(name)
                address = node.host.address
                wait_until(lambda: node.process.poll() is not None or address in self.living(), f"{name} up")  # noqa: B023
                if node.process.poll() is None:
                    break
            assert node.process.poll() is None, node.log.read_text()

    def living(self) -> set[str]:
        """The addresses of the nodes that the head takes for alive; none while it does not answer."""
        nodes = self._ask("/nodes?view=summary").get("data", {}).get("summary", [])
        # A node that the head has only just heard of has no address yet.
        return {node.get("ip", "") for node in nodes if node.get("raylet", {}).get("state") == "ALIVE"}

    def application(self) -> dict[str, Any]:
        """What Serve says about the application; nothing while it does not answer."""
        return self._ask("/api/serve/applications/").get("applications", {}).get("ocr", {})

    def replicas(self) -> dict[str, tuple[str, int]]:
        """Address and process of every running replica, by the id of its actor."""
        return {
            replica["actor_id"]: (replica["node_ip"], replica["pid"])
            for deployment in self.application().get("deployments", {}).values()
            for replica in deployment["replicas"]
            if replica["state"] == "RUNNING"
        }

    def urls(self, names: Iterable[str]) -> dict[str, str]:
        """Where these workers serve."""
        port = PORTS["PORT_SERVE_HTTP"]
        return {name: f"http://{self.network.hosts[name].address}:{port}" for name in names}

    def _ask(self, path: str) -> dict[str, Any]:
        try:
            answer = self._dashboard.get(path)
        except httpx.TransportError:
            return {}
        return answer.json() if answer.status_code == 200 else {}


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 400) -> None:
    """Return once the condition holds."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"waited {timeout_s:.0f} s in vain: {what}"
        time.sleep(0.5)

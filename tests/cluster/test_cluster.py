"""A head and two workers, started by the entry points on their fixed ports, and what may happen to them.

The tests share one cluster and stand in an order: what one of them leaves, the next one takes.
"""

import re

import httpx

from cluster.balancer import passes_check, running_traffic
from cluster.node import Node
from cluster.ports import PORTS
from cluster.ray_cluster import API_KEY, TOKEN, Cluster, wait_until
from paths import FIXTURES, ROOT

WORKERS = ("one", "two")
CONFIGURATION = ROOT / "tests" / "cluster" / "application.yaml"
RANGES = [
    (PORTS["PORT_WORKER_MIN"], PORTS["PORT_WORKER_MAX"]),
    (PORTS["PORT_REPLICA_MIN"], PORTS["PORT_REPLICA_MAX"]),
]


def list_strange_ports(listing: str) -> set[str]:
    """Which sockets of `ss -ltnpH` can be reached from outside and are in no line of ports.env.

    Each replica has one that the system chooses, for calls by gRPC: they are off, it cannot be.
    """
    strange, replicas = set(), set()
    for line in listing.splitlines():
        replica = re.search(r'"ray::ServeRepl[^"]*",pid=(\d+)', line)
        if replica and replica[1] not in replicas and " *:" in line and not is_named(line):
            replicas.add(replica[1])
            continue
        if not is_named(line) and not re.match(r"127\.|\[::1\]|\[::ffff:127\.", line.split()[3]):
            strange.add(line)
    return strange


def is_named(line: str) -> bool:
    """Whether ports.env has the socket's port."""
    port = int(line.split()[3].rpartition(":")[2])
    return port in PORTS.values() or any(low <= port <= high for low, high in RANGES)


def test_nodes_join_with_the_token_and_are_healthy(cluster: Cluster) -> None:
    addresses = {cluster.network.hosts[name].address for name in ("head", *WORKERS)}
    assert cluster.living() == addresses
    for name, node in cluster.nodes.items():
        part = "head" if name == "head" else "worker"
        check = (str(ROOT / "cluster" / "check-health.sh"), part)
        wait_until(lambda: node.run(*check).returncode == 0, f"{name} healthy")  # noqa: B023


def test_a_node_without_a_token_does_not_start(cluster: Cluster) -> None:
    assert cluster.start("stranger", RAY_AUTH_TOKEN="").process.wait(60) == 64


def test_serve_deploys_the_application_to_the_workers(cluster: Cluster, impostor: Node) -> None:
    head = cluster.nodes["head"]
    deploy = ("serve", "deploy", str(CONFIGURATION), "-a", f"http://127.0.0.1:{PORTS['PORT_DASHBOARD']}")
    refused = head.run(*deploy, environment={"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "f" * 32})
    assert refused.returncode != 0
    done = head.run(*deploy, environment={"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN})
    assert done.returncode == 0, done.stderr
    wait_until(lambda: cluster.application().get("status") == "RUNNING", "the application runs")
    on_nodes = {address for address, _ in cluster.replicas().values()}
    assert on_nodes == {cluster.network.hosts[name].address for name in WORKERS}
    with httpx.Client(headers={"x-api-key": API_KEY, "content-type": "image/png"}, timeout=60) as client:
        for url in cluster.urls(WORKERS).values():
            wait_until(lambda: passes_check(url), f"{url} healthy")  # noqa: B023
            answer = client.post(f"{url}/ocr", content=(FIXTURES / "letter.png").read_bytes())
            assert answer.status_code == 200, answer.text
            assert answer.json()["pages"][0]["lines"]


def test_a_node_with_a_wrong_token_is_refused(cluster: Cluster, impostor: Node) -> None:
    assert impostor.process.wait(240) not in (0, 64)
    assert "Authentication token is missing or incorrect" in impostor.log.read_text()
    assert impostor.host.address not in cluster.living()


def test_nothing_listens_outside_that_ports_env_does_not_name(cluster: Cluster) -> None:
    for node in cluster.nodes.values():
        assert list_strange_ports(node.run("ss", "-ltnpH").stdout) == set(), node.host.name


def test_a_killed_head_comes_back_and_nobody_noticed(cluster: Cluster) -> None:
    """The book is in the store: the actors are the same ones, and answered all the time."""
    before = cluster.replicas()
    with running_traffic(cluster.urls(WORKERS), API_KEY) as traffic:
        traffic.wait_for(5)
        cluster.nodes["head"].kill()
        traffic.wait_for(20)
        cluster.bring_up("head")
        wait_until(lambda: len(cluster.living()) == 3, "all nodes are known again")
        wait_until(lambda: cluster.application().get("status") == "RUNNING", "Serve is back")
        traffic.wait_for(20)
    assert traffic.failed() == []
    assert cluster.replicas() == before
    assert all(node.process.poll() is None for node in cluster.nodes.values())


def test_what_a_lost_worker_did_others_do(cluster: Cluster) -> None:
    """Nobody tells the cluster: the worker's network is gone."""
    one, two = (cluster.network.hosts[name] for name in WORKERS)
    before = cluster.replicas()
    with running_traffic(cluster.urls(WORKERS), API_KEY) as traffic:
        traffic.wait_for(5)
        two.plug(False)
        wait_until(lambda: two.address not in cluster.living(), "the loss is noticed")
        wait_until(
            lambda: (
                {address for address, _ in cluster.replicas().values()} == {one.address}
                and len(cluster.replicas()) == len(before) - 1
            ),
            "all replicas but the second ingress are on the worker that is left",
        )
        wait_until(lambda: traffic.balancer.healthy() == ["one"], "the balancer leaves the lost one out")
        seen = len(traffic.calls)
        traffic.wait_for(20)
        assert [call for call in traffic.calls[seen + 2 :] if call.outcome != 200] == []
    two.plug(True)
    # Ray has given the node up: it ends itself, with a status that makes whoever started it start another.
    assert cluster.nodes["two"].process.wait(240) != 0


def test_a_worker_that_is_told_to_stop_fails_no_request(cluster: Cluster) -> None:
    cluster.bring_up("two")
    two = cluster.network.hosts["two"]
    wait_until(lambda: two.address in {address for address, _ in cluster.replicas().values()}, "work for two")
    urls = cluster.urls(WORKERS)
    wait_until(lambda: all(map(passes_check, urls.values())), "both are healthy")
    with running_traffic(urls, API_KEY) as traffic:
        traffic.wait_for(20)
        one = cluster.nodes["one"]
        one.terminate()
        assert one.process.wait(240) == 0
        traffic.wait_for(20)
    assert traffic.failed() == []
    assert {call.target for call in traffic.calls} == set(WORKERS)
    assert {address for address, _ in cluster.replicas().values()} == {two.address}

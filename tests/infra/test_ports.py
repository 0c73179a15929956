"""Entry points, task definitions and security groups agree on every port of cluster/ports.env."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.nodes import NodeRun, run_node
from infra.resources import Resources
from paths import ROOT

# Which of Ray's options carries which port, on every node and on the head.
NODE_OPTIONS = {
    "node-manager-port": "PORT_NODE_MANAGER",
    "object-manager-port": "PORT_OBJECT_MANAGER",
    "runtime-env-agent-port": "PORT_RUNTIME_ENV_AGENT",
    "dashboard-agent-grpc-port": "PORT_AGENT_GRPC",
    "dashboard-agent-listen-port": "PORT_AGENT_HTTP",
    "metrics-export-port": "PORT_METRICS",
    "min-worker-port": "PORT_WORKER_MIN",
    "max-worker-port": "PORT_WORKER_MAX",
}
HEAD_OPTIONS = {
    "port": "PORT_GCS",
    "dashboard-port": "PORT_DASHBOARD",
    "ray-client-server-port": "PORT_RAY_CLIENT",
}
SERVE_VARIABLES = {
    "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": "PORT_SERVE_FALLBACK",
    "RAY_SERVE_HAPROXY_STATS_PORT": "PORT_HAPROXY_STATS",
    "RAY_SERVE_HAPROXY_METRICS_PORT": "PORT_HAPROXY_METRICS",
    "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": "PORT_REPLICA_MIN",
    "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": "PORT_REPLICA_MAX",
}
# What Ray's own programs on the head read.
HEAD_VARIABLES = {
    "AUTOSCALER_METRIC_PORT": "PORT_AUTOSCALER_METRICS",
    "DASHBOARD_METRIC_PORT": "PORT_DASHBOARD_METRICS",
}
# Which ranges may pass from which group to which; nothing else may.
PASSES = {
    ("workers", "head"): [
        ("PORT_GCS", "PORT_GCS"),
        ("PORT_SERVE_FALLBACK", "PORT_SERVE_FALLBACK"),
    ],
    ("alb", "workers"): [("PORT_SERVE_HTTP", "PORT_SERVE_HTTP")],
    ("head", "valkey"): [("PORT_VALKEY", "PORT_VALKEY")],
    ("workers", "postgres"): [("PORT_POSTGRES", "PORT_POSTGRES")],
    ("nodes", "nodes"): [
        ("PORT_NODE_MANAGER", "PORT_NODE_MANAGER"),
        ("PORT_OBJECT_MANAGER", "PORT_OBJECT_MANAGER"),
        ("PORT_AGENT_GRPC", "PORT_AGENT_GRPC"),
        ("PORT_AGENT_HTTP", "PORT_AGENT_HTTP"),
        ("PORT_METRICS", "PORT_METRICS"),
        ("PORT_WORKER_MIN", "PORT_WORKER_MAX"),
        ("PORT_REPLICA_MIN", "PORT_REPLICA_MAX"),
    ],
}


def read_ports() -> dict[str, int]:
    lines = (ROOT / "cluster" / "ports.env").read_text().splitlines()
    return {name: int(port) for name, _, port in (line.partition("=") for line in lines) if port.isdigit()}


PORTS = read_ports()


@pytest.fixture(params=["head", "worker"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, NodeRun]:
    variables = {"RAY_AUTH_TOKEN": "t", "RAY_HEAD_HOST": "head"}
    return request.param, run_node(tmp_path, request.param, variables)


def find_container(resources: Resources, part: str) -> dict[str, Any]:
    task = next(
        resource["values"]
        for address, resource in resources.items()
        if address.endswith(f"aws_ecs_task_definition.{part}")
    )
    (container,) = json.loads(task["container_definitions"])
    return container


def list_passes(resources: Resources) -> dict[tuple[str, str], set[tuple[int, int]]]:
    """The ranges that pass, by the names of the two groups."""
    names = {
        resource["values"]["id"]: resource["index"]
        for resource in resources.values()
        if resource["type"] == "aws_security_group"
    }
    passes: dict[tuple[str, str], set[tuple[int, int]]] = {}
    for resource in resources.values():
        rule = resource["values"]
        if resource["type"] == "aws_vpc_security_group_ingress_rule" and rule["referenced_security_group_id"]:
            pair = (names[rule["referenced_security_group_id"]], names[rule["security_group_id"]])
            passes.setdefault(pair, set()).add((rule["from_port"], rule["to_port"]))
    return passes


def test_the_file_names_each_port_once_and_no_two_meet_on_a_node() -> None:
    single = {
        name: port
        for name, port in PORTS.items()
        if not name.endswith(("_MIN", "_MAX")) and name not in ("PORT_VALKEY", "PORT_POSTGRES")
    }
    assert len(set(single.values())) == len(single)
    for start, end in (("PORT_WORKER_MIN", "PORT_WORKER_MAX"), ("PORT_REPLICA_MIN", "PORT_REPLICA_MAX")):
        assert PORTS[start] < PORTS[end]
        assert not any(PORTS[start] <= port <= PORTS[end] for port in single.values())


def test_an_entry_point_gives_ray_the_ports_of_the_file(node: tuple[str, NodeRun]) -> None:
    part, run = node
    options = NODE_OPTIONS | (HEAD_OPTIONS if part == "head" else {})
    assert {option: int(run.find(option)) for option in options} == {
        option: PORTS[name] for option, name in options.items()
    }
    for variable, name in {**SERVE_VARIABLES, **HEAD_VARIABLES}.items():
        assert run.environment[variable] == str(PORTS[name])


def test_every_port_of_the_file_is_used_by_an_entry_point_or_opened_for_another_program() -> None:
    ranges = {name for pairs in PASSES.values() for pair in pairs for name in pair}
    variables = {*SERVE_VARIABLES.values(), *HEAD_VARIABLES.values()}
    used = {*NODE_OPTIONS.values(), *HEAD_OPTIONS.values(), *variables, *ranges}
    assert used == set(PORTS)


@pytest.mark.parametrize("part", ["head", "worker"])
def test_a_task_definition_hands_every_port_to_its_entry_point(resources: Resources, part: str) -> None:
    container = find_container(resources, part)
    given = {variable["name"]: variable["value"] for variable in container["environment"]}
    assert {name: given.get(name) for name in PORTS} == {name: str(port) for name, port in PORTS.items()}
    assert {variable: given[variable] for variable in SERVE_VARIABLES} == {
        variable: str(PORTS[name]) for variable, name in SERVE_VARIABLES.items()
    }
    assert container["entryPoint"] == [f"/srv/ocr/cluster/entrypoint-{part}.sh"]


def test_a_task_definition_maps_only_ports_that_a_group_opens(resources: Resources) -> None:
    passes = list_passes(resources)
    for part, group in (("head", "head"), ("worker", "workers")):
        opened = {
            port for (_, target), ranges in passes.items() if target in (group, "nodes") for port, _ in ranges
        }
        mapped = {mapping["containerPort"] for mapping in find_container(resources, part)["portMappings"]}
        assert mapped
        assert mapped <= opened


def test_groups_let_exactly_these_ports_pass(resources: Resources) -> None:
    expected = {
        pair: {(PORTS[start], PORTS[end]) for start, end in ranges} for pair, ranges in PASSES.items()
    }
    for pair, ranges in list_passes(resources).items():
        assert ranges == ({(443, 443)} if pair[1] == "endpoints" else expected.pop(pair))
    assert expected == {}


def test_serves_own_port_is_the_same_in_its_configuration() -> None:
    lines = (ROOT / "serve_config.yaml").read_text().splitlines()
    assert f"  port: {PORTS['PORT_SERVE_HTTP']}" in lines


def test_the_load_balancer_calls_serves_port(resources: Resources) -> None:
    by_type = {resource["type"]: resource["values"] for resource in resources.values()}
    assert by_type["aws_lb_target_group"]["port"] == PORTS["PORT_SERVE_HTTP"]
    (balancer,) = next(
        resource["values"]["load_balancer"]
        for address, resource in resources.items()
        if address.endswith("aws_ecs_service.worker")
    )
    assert balancer["container_port"] == PORTS["PORT_SERVE_HTTP"]

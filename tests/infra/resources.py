"""Reading the resources that a mocked apply left."""

import json
from collections.abc import Iterator
from typing import Any

Resources = dict[str, dict[str, Any]]


def select(resources: Resources, kind: str) -> dict[str, dict[str, Any]]:
    """The values of all resources of a kind. A kind that is not there at all is a mistake in the test."""
    found = {
        address: resource["values"]
        for address, resource in resources.items()
        if resource["type"] == kind and resource["mode"] == "managed"
    }
    assert found, f"no {kind}"
    return found


def list_statements(document: str) -> list[dict[str, Any]]:
    return json.loads(document)["Statement"]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def list_task_containers(resources: Resources) -> Iterator[tuple[str, dict[str, Any]]]:
    for address, task in select(resources, "aws_ecs_task_definition").items():
        for container in json.loads(task["container_definitions"]):
            yield address, container

"""The Ray head of an environment that `terraform/` made: which task it is, and the cluster's token.

Names as `terraform/modules/{ecs_cluster,ray_service,data}` give them. `AWS_ENDPOINT_URL`, profiles and the
other settings of boto3 count.
"""

import re
from dataclasses import dataclass
from typing import Any

_SERVICE = _CONTAINER = "head"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")


class AwsFault(Exception):
    """AWS does not give what is needed; the text is for the operator."""


@dataclass(frozen=True)
class Head:
    """Where a session of SSM reaches the head's container: ``ecs:CLUSTER_TASK_RUNTIME``."""

    target: str
    region: str


@dataclass(frozen=True)
class Environment:
    """An environment's stack, such as ``ocr-prod`` in ap-northeast-2."""

    name: str
    region: str

    @classmethod
    def of(cls, environment: str, project: str, region: str) -> "Environment":
        """The stack of ``project`` for this environment. Raises `AwsFault` for a name that cannot be one."""
        name = f"{project}-{environment}"
        if not _NAME.fullmatch(name):
            raise AwsFault(f"{name!r} cannot be the name of an environment's stack")
        return cls(name, region)

    def find_head(self) -> Head:
        """The head's task that runs now. Raises `AwsFault`."""
        ecs = self._client("ecs")
        try:
            tasks = ecs.list_tasks(cluster=self.name, serviceName=_SERVICE, desiredStatus="RUNNING")[
                "taskArns"
            ]
            found = ecs.describe_tasks(cluster=self.name, tasks=tasks)["tasks"] if tasks else []
        except Exception as error:
            raise AwsFault(f"the head of {self.name} cannot be looked up: {_name_fault(error)}") from None
        running = [
            task
            for task in found
            if task.get("lastStatus") == "RUNNING" and task.get("group") == f"service:{_SERVICE}"
        ]
        if not running:
            raise AwsFault(f"the ECS service {_SERVICE!r} of cluster {self.name!r} has no running task")
        # While one is replaced there may be two: the newest is the head.
        task = max(running, key=lambda one: str(one.get("startedAt", "")))
        if not task.get("enableExecuteCommand", True):
            raise AwsFault("the head's task allows no sessions (enable_execute_command)")
        containers = {one["name"]: one.get("runtimeId") for one in task["containers"]}
        runtime = containers.get(_CONTAINER)
        if not runtime:
            raise AwsFault(f"the head's task has no running container {_CONTAINER!r}")
        task_id = task["taskArn"].rpartition("/")[2]
        return Head(f"ecs:{self.name}_{task_id}_{runtime}", self.region)

    def fetch_token(self) -> str:
        """The cluster's token, from Secrets Manager. Raises `AwsFault`."""
        secret = f"{self.name}/ray-token"
        try:
            token = self._client("secretsmanager").get_secret_value(SecretId=secret).get("SecretString", "")
        except Exception as error:
            raise AwsFault(f"the secret {secret} cannot be read: {_name_fault(error)}") from None
        if not token.strip():
            raise AwsFault(f"the secret {secret} is empty")
        return str(token.strip())

    def _client(self, service: str) -> Any:
        # Late: most commands need no AWS, and the import takes a while.
        import boto3

        return boto3.client(service, region_name=self.region)


def _name_fault(error: Exception) -> str:
    """The fault's code where AWS gives one; never the whole text, which may hold identifiers of requests."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        details = response.get("Error", {})
        return f"{details.get('Code', 'unknown')} ({details.get('Message', '')})"
    return f"{type(error).__name__}: {error}"

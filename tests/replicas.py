"""What a test asks Ray about the replicas of the cluster that it is connected to."""

import ray
from ray.util.state import list_actors


def pids_of_replicas() -> dict[str, int]:
    """Process ids of all living replicas, by the name of their actor."""
    # Without an address the state API refuses to choose between two clusters on one machine.
    actors = list_actors(
        address=ray.get_runtime_context().gcs_address,
        filters=[("state", "=", "ALIVE")],
        detail=True,
        limit=200,
    )
    return {actor.name: actor.pid for actor in actors if actor.name and "SERVE_REPLICA" in actor.name}


def pids_of(deployment: str) -> list[int]:
    """Process ids of a deployment's living replicas."""
    return [pid for name, pid in pids_of_replicas().items() if f"#{deployment}#" in name]

"""Drain the Ray node at an address: `drain_node.py HEAD:PORT NODE_ADDRESS SECONDS`.

Serve starts the node's replicas elsewhere, lets it finish what it has and sends it nothing new; the node
leaves the cluster when it is empty, or after that many seconds. Exits with 0 when it left, else with 1.
"""

import sys
import time

from ray._raylet import GcsClient
from ray.core.generated import autoscaler_pb2, gcs_pb2

_ALIVE = gcs_pb2.GcsNodeInfo.GcsNodeState.ALIVE


def find_node(client: GcsClient, address: str) -> str | None:
    """The hexadecimal id of the node that lives at this address, or None."""
    for node_id, info in client.get_all_node_info(timeout=10).items():
        if info.node_manager_address == address and info.state == _ALIVE and not info.is_head_node:
            return node_id.hex()
    return None


def drain(client: GcsClient, address: str, seconds: int) -> bool:
    """Ask for the drain and wait for its end. Returns whether the node left in time."""
    node_id = find_node(client, address)
    if node_id is None:
        return True
    end = time.time() + seconds
    accepted, refusal = client.drain_node(
        node_id,
        autoscaler_pb2.DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION"),
        "the container was told to stop",
        int(end * 1000),
    )
    if not accepted:
        print(f"The drain was refused: {refusal}", file=sys.stderr)
        return False
    while time.time() < end:
        time.sleep(1)
        if find_node(client, address) != node_id:
            return True
    return False


if __name__ == "__main__":
    head, node, limit_s = sys.argv[1:]
    sys.exit(0 if drain(GcsClient(address=head), node, int(limit_s)) else 1)

"""What the fleet needs to know of a node, found by simulating one in detail: its rate, pace and queues."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import simpy
from numpy.typing import NDArray

from capacity.callers import run_open_loop
from capacity.node import SimulatedNode
from capacity.parameters import Node
from capacity.processors import Steps

Floats = NDArray[np.float64]

# Pages a second as multiples of the rate of the node: idle, half loaded, and more than it can do.
_SHARES = (0.1, 0.3, 0.6, 0.85, 0.95, 1.3)
_SAMPLE_S = 1.0


@dataclass(frozen=True)
class NodeCurve:
    """A node in figures.

    ``document_s`` are the times of documents in a node with little to do, sorted. ``in_system`` are pages in
    the node at the rising loads ``offered`` (pages/s), and ``ongoing`` calls at each stage (documents at
    ``ingress``) at the same loads.
    """

    pages_per_s: float
    document_s: Floats
    offered: Floats
    in_system: Floats
    ongoing: Mapping[str, Floats]

    @property
    def bottleneck(self) -> str:
        """The stage before which pages queue when there are too many."""
        return max(
            (name for name in self.ongoing if name != "ingress"), key=lambda name: self.ongoing[name][-1]
        )

    def count_in_system(self, pages_per_s: float) -> float:
        """Pages in a node that so many come to, up to what it can read."""
        return float(np.interp(min(pages_per_s, self.pages_per_s), self.offered, self.in_system))

    def count_ongoing(self, stage: str, pages: Floats) -> Floats:
        """Calls at a stage of nodes with so many pages in them."""
        return np.interp(pages, self.in_system, self.ongoing[stage])


def measure(
    node: Node, pages_per_document: Mapping[int, float], seconds: float = 400.0, seed: int = 1
) -> NodeCurve:
    """Simulate one node at rising loads."""
    rate = find_rate(node, pages_per_document, seconds, seed)
    points: list[dict[str, float]] = []
    idle: SimulatedNode | None = None
    for share in _SHARES:
        simulated, means = _run(node, rate * share, pages_per_document, seconds, seed)
        points.append({**means, "offered": rate * share})
        idle = idle or simulated
    assert idle is not None
    names = [name for name in points[0] if name not in ("pages", "offered")]
    return NodeCurve(
        pages_per_s=rate,
        document_s=np.sort(np.array(idle.account.document_s)),
        offered=np.array([point["offered"] for point in points]),
        # More load, more pages: where chance says otherwise, chance is wrong.
        in_system=np.maximum.accumulate([point["pages"] for point in points]),
        ongoing={name: np.maximum.accumulate([point[name] for point in points]) for name in names},
    )


def find_rate(node: Node, pages_per_document: Mapping[int, float], seconds: float, seed: int) -> float:
    """Pages a second of a node that always has something to do."""
    # More than any node of this kind does: what is too much is refused, and the rest keeps it busy.
    offered = 1000.0 / max(1.0, node.request.cpu_ms.value) * node.cores
    simulated, _ = _run(node, offered, pages_per_document, seconds, seed)
    return simulated.account.pages_served / seconds


def _run(
    node: Node, pages_per_s: float, pages_per_document: Mapping[int, float], seconds: float, seed: int
) -> tuple[SimulatedNode, dict[str, float]]:
    env, chance = simpy.Environment(), random.Random(seed)
    simulated = SimulatedNode(env, node, chance)
    sums: dict[str, float] = {}

    def look() -> Steps:
        while True:
            yield env.timeout(_SAMPLE_S)
            account = simulated.account
            pages = account.pages_arrived - account.pages_refused - account.pages_served
            now = {"pages": pages, "ingress": account.in_flight, **simulated.count_ongoing()}
            for name, count in now.items():
                sums[name] = sums.get(name, 0.0) + count

    env.process(look())
    run_open_loop(env, simulated, pages_per_s, pages_per_document, seconds, chance)
    samples = seconds / _SAMPLE_S
    return simulated, {name: total / samples for name, total in sums.items()}

"""Holding the simulation against what was measured: the closed loops of docs/benchmarks.md on two cores."""

import random
from dataclasses import dataclass

import numpy as np
import simpy

from capacity.callers import run_closed_loop
from capacity.node import SimulatedNode
from capacity.parameters import load_node

# docs/benchmarks.md, "Throughput beside rivals": milliseconds a page, and of a document's time p50 and p95.
MEASURED = {1: (552.0, 469.0, 1124.0), 4: (421.0, 1528.0, 2912.0), 16: (425.0, 6766.0, 8782.0)}
# How far off it may be: rates are what the plan is made of; quantiles depend on which pages were measured.
RATE_TOLERANCE, QUANTILE_TOLERANCE = 0.05, 0.15


@dataclass(frozen=True)
class Check:
    """One figure, measured and simulated, in milliseconds."""

    callers: int
    name: str
    measured: float
    simulated: float
    tolerance: float

    @property
    def difference(self) -> float:
        """In parts of what was measured."""
        return self.simulated / self.measured - 1

    @property
    def holds(self) -> bool:
        """Whether it is near enough."""
        return abs(self.difference) <= self.tolerance


def validate(documents: int = 1500, seed: int = 1) -> list[Check]:
    """The same loops in the simulation."""
    checks = []
    for callers, (ms_per_page, p50_ms, p95_ms) in MEASURED.items():
        env = simpy.Environment()
        node = SimulatedNode(env, load_node("cpu-2-cores"), random.Random(seed))
        run_closed_loop(env, node, callers, documents)
        times_ms = np.array(node.account.document_s) * 1000
        checks += [
            Check(callers, "ms/page", ms_per_page, env.now / documents * 1000, RATE_TOLERANCE),
            Check(callers, "p50 ms", p50_ms, float(np.quantile(times_ms, 0.5)), QUANTILE_TOLERANCE),
            Check(callers, "p95 ms", p95_ms, float(np.quantile(times_ms, 0.95)), QUANTILE_TOLERANCE),
        ]
    return checks

"""One node: the graph of a profile on its cores and its GPU, behind the service's own admission."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import simpy

from configs.profile import AppArgs, load_profile
from configs.settings import Limits
from deployments.admission import Admission, Lease
from deployments.errors import Busy

from capacity.parameters import Node, PageKind
from capacity.processors import SharedProcessor, Steps
from capacity.stage import StageReplica

# As deployments/spreading.py: a call costs as much as reading a short line, so fewer stay together.
_MIN_LINES_A_SHARE = 4


@dataclass
class Account:
    """What became of documents and pages."""

    arrived: int = 0
    refused: int = 0
    served: int = 0
    pages_arrived: int = 0
    pages_refused: int = 0
    pages_served: int = 0
    document_s: list[float] = field(default_factory=list)
    page_s: list[float] = field(default_factory=list)
    page_seconds: float = 0.0

    @property
    def in_flight(self) -> int:
        """Documents that were let in and are not finished."""
        return self.arrived - self.refused - self.served


def draw_lines(kind: PageKind, chance: random.Random) -> int:
    """Lines of a page."""
    sigma = kind.lines_sigma.value
    # The mean of a log-normal variable is exp(mu + sigma^2 / 2).
    drawn = kind.lines_mean.value * chance.lognormvariate(-sigma * sigma / 2, sigma)
    return max(1, round(min(drawn, kind.lines_most.value)))


class SimulatedNode:
    """Reads documents as a node does; all of its randomness comes from ``chance``."""

    def __init__(self, env: simpy.Environment, node: Node, chance: random.Random) -> None:
        profile = load_profile(AppArgs(profile=node.profile), cluster_gpus=float(node.gpus), environment={})
        self.env = env
        self.account = Account()
        self._node = node
        self._chance = chance
        self._limits: Limits = profile.limits
        self._cores = SharedProcessor(env, node.cores, node.core_speed.value)
        self._gpu = SharedProcessor(env, node.gpus, node.gpu_speed.value) if node.gpus else None
        self._admission = Admission(
            self._limits.max_queue_s, self._limits.pixels_per_s, clock=lambda: float(env.now)
        )
        count = profile.recognition.replicas.num_replicas
        recognizers = node.cores if count == "auto" else count
        spread = profile.recognition.spread
        self._shares = recognizers if spread == "auto" else spread
        self.stages: dict[str, Sequence[StageReplica]] = {
            name: [
                StageReplica(env, getattr(node, name), getattr(profile, name).knobs, self._cores, self._gpu)
                for _ in range(replicas)
            ]
            for name, replicas in (("orientation", 1), ("detection", 1), ("recognition", recognizers))
        }

    @property
    def core_seconds(self) -> float:
        """Processor time that was spent."""
        return self._cores.busy_s

    @property
    def gpu_seconds(self) -> float:
        """Time in which the GPU computed."""
        return self._gpu.busy_s if self._gpu else 0.0

    def count_ongoing(self) -> dict[str, int]:
        """Calls at each stage, waiting ones included."""
        return {name: sum(replica.ongoing for replica in stage) for name, stage in self.stages.items()}

    def read_document(self, pages: int) -> Steps:
        """A document of so many pages: refused at once, or read, a few pages at a time."""
        account, start_s = self.account, self.env.now
        account.arrived += 1
        account.pages_arrived += pages
        try:
            with self._admission.admit(
                round(self._node.page.pixels.value), pages, self._limits.pages_in_flight
            ) as lease:
                slots = simpy.Resource(self.env, self._limits.pages_in_flight)
                yield self.env.all_of([self.env.process(self._take_turn(slots, lease)) for _ in range(pages)])
        except Busy:
            account.refused += 1
            account.pages_refused += pages
            return
        account.served += 1
        account.document_s.append(self.env.now - start_s)

    def _take_turn(self, slots: simpy.Resource, lease: Lease) -> Steps:
        with slots.request() as turn:
            yield turn
            start_s = self.env.now
            yield from self._read_page()
        lease.finish_page()
        self.account.pages_served += 1
        self.account.page_s.append(self.env.now - start_s)
        self.account.page_seconds += self.env.now - start_s

    def _read_page(self) -> Steps:
        lines = draw_lines(self._node.page, self._chance)
        # What Ray's own processes and the proxy do meanwhile; nobody waits for it.
        self._cores.run(self._node.background_ms.value / 1000)
        yield self.env.timeout(self._node.idle_ms.value / 1000)
        yield self._cores.run(self._node.request.cpu_ms.value / 1000)
        yield self._choose("orientation").submit(1)
        yield self._choose("detection").submit(1)
        shares = max(1, min(self._shares, lines // _MIN_LINES_A_SHARE))
        yield self.env.all_of([self._choose("recognition").submit(lines / shares) for _ in range(shares)])

    def _choose(self, stage: str) -> StageReplica:
        """The less busy of two replicas, as Serve's router chooses."""
        replicas = self.stages[stage]
        chosen = self._chance.sample(replicas, min(2, len(replicas)))
        return min(chosen, key=lambda replica: replica.ongoing)

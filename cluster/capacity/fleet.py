"""A day of a fleet, second by second: pages come, wait, are refused or read; nodes come, go and are lost.

A node is what `capacity.node_curve` found it to be: a rate, a queue bounded by the service's admission, and a
time that a document takes when nothing stands before it. Nodes start after `Start.total_s`; AWS is asked for
them by the rules of `capacity.autoscaling`; a spot node that is lost takes no more documents and finishes
what it has.
"""

import random
from dataclasses import dataclass, field

import numpy as np
import simpy
from numpy.typing import NDArray

from configs.profile import AppArgs, load_profile

from capacity.autoscaling import REPORT_S, ReplicaScaler, TargetTracking, WorkerCount, read_deployments
from capacity.callers import mean_pages
from capacity.load import DAY_S, draw_load
from capacity.node_curve import NodeCurve
from capacity.parameters import Node, Plan, Scenario
from capacity.processors import Steps

_MINUTE_S = 60
# Documents of each second whose times are looked at.
_SAMPLES = 20
_ABSENT, _STARTING, _READY, _DRAINING = range(4)

Floats = NDArray[np.float64]


@dataclass
class Day:
    """What happened, by the minute, and in all."""

    arrived: int = 0
    refused: int = 0
    served: int = 0
    lost: int = 0
    in_flight: int = 0
    spot_losses: int = 0
    node_s: float = 0.0
    spot_node_s: float = 0.0
    times_s: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    minutes: list[dict[str, float]] = field(default_factory=list)

    def quantile_s(self, share: float) -> float:
        """A quantile of the times of documents that were let in."""
        return weighted_quantile(self.times_s, self.weights, share)


def weighted_quantile(values: list[float], weights: list[float], share: float) -> float:
    """The least value that this share of the weight does not exceed; 0 without values."""
    if not values:
        return 0.0
    order = np.argsort(values)
    reached = np.cumsum(np.asarray(weights)[order])
    index = int(np.searchsorted(reached, share * reached[-1]))
    return float(np.asarray(values)[order][min(index, len(values) - 1)])


class Fleet:
    """The simulation of one scenario; the same seed gives the same day."""

    def __init__(self, plan: Plan, scenario: Scenario, node: Node, curve: NodeCurve, seed: int) -> None:
        self.env = simpy.Environment()
        self.day = Day()
        self._plan, self._scenario, self._curve = plan, scenario, curve
        self._chance, self._dice = random.Random(seed), np.random.default_rng(seed)
        self._load = draw_load(scenario, self._chance)
        self._pages = np.array(list(scenario.pages_per_document))
        weights = np.array(list(scenario.pages_per_document.values()))
        self._page_limits = np.cumsum(weights / weights.sum())[:-1]
        self._documents_per_page = 1 / mean_pages(scenario.pages_per_document)
        limits = load_profile(AppArgs(profile=node.profile), cluster_gpus=1.0, environment={}).limits
        self._room = limits.max_queue_s * curve.pages_per_s
        # A spot node that is lost stays for a while beside the one that replaces it.
        slots = scenario.max_workers * 2
        self._state = np.full(slots, _ABSENT)
        self._is_spot = np.zeros(slots, dtype=bool)
        self._since_s = np.zeros(slots)
        self._backlog = np.zeros(slots)
        self._carry = np.zeros(slots)
        self._scalers = self._make_scalers(node)
        self._tracking = TargetTracking(
            scenario.min_workers, scenario.max_workers, out_cooldown_s=60, in_cooldown_s=900
        )
        self._minute: dict[str, float] = {}
        self._minute_times: tuple[list[float], list[float]] = ([], [])
        for _ in range(scenario.min_workers):
            self._start_node(is_spot=False, is_ready=True)

    def _make_scalers(self, node: Node) -> dict[str, ReplicaScaler]:
        deployments = read_deployments(node.profile)
        self._count_workers = WorkerCount(deployments, node.cores, node.gpus)
        self._per_node = {part.name: part.replicas for part in deployments if part.autoscaling}
        return {
            part.name: ReplicaScaler(
                target=self._scenario.targets.get(part.name, part.autoscaling["target_ongoing_requests"]),
                up_factor=self._scenario.upscaling_factor,
                down_factor=self._scenario.downscaling_factor,
                least=self._scenario.min_workers * part.replicas,
                most=self._scenario.max_workers * part.replicas,
                up_after_s=part.autoscaling["upscale_delay_s"],
                down_after_s=part.autoscaling["downscale_delay_s"],
            )
            for part in deployments
            if part.autoscaling and part.name in self._curve.ongoing
        }

    def run(self, seconds: int = DAY_S) -> Day:
        """Simulate so many seconds from midnight."""
        self.env.process(self._live())
        self.env.process(self._scale())
        if self._scenario.mass_loss_hour is not None:
            self.env.process(self._lose_many(self._scenario.mass_loss_hour * 3600))
        self.env.run(until=seconds)
        self.day.in_flight = round(self._backlog.sum())
        return self.day

    def _live(self) -> Steps:
        while True:
            self._tick()
            yield self.env.timeout(1)

    def _tick(self) -> None:
        day, curve = self.day, self._curve
        active = self._find_active()
        arrived = self._receive(active)
        working = self._state >= _READY
        # Whole pages leave; what is left of a node's second belongs to its next page.
        able = np.where(working, curve.pages_per_s + self._carry, 0.0)
        served = np.minimum(self._backlog, np.floor(able))
        self._carry = np.where(self._backlog > served, able - np.floor(able), 0.0)
        self._backlog -= served
        day.served += int(served.sum())
        self._lose_some()
        self._remove_drained()
        present = self._state != _ABSENT
        day.node_s += float(present.sum())
        day.spot_node_s += float((present & self._is_spot).sum())
        if self.env.now % REPORT_S == 0:
            usual = curve.count_in_system(float(arrived.sum()) / max(1, len(active)))
            self._report(np.maximum(self._backlog[active], usual))
        self._note({"arrived": float(arrived.sum()), "served": float(served.sum())})

    def _find_active(self) -> NDArray[np.intp]:
        """Ready nodes that have replicas of every stage."""
        ready = np.flatnonzero(self._state == _READY)
        return ready[: max(1, min(self._count_whole().values()))]

    def _count_whole(self) -> dict[str, int]:
        """Of how many nodes each stage has all replicas."""
        return {name: scaler.wanted // self._per_node[name] for name, scaler in self._scalers.items()}

    def _report(self, in_system: Floats) -> None:
        """Tell Serve of calls under way. The queue stands before the stage with the fewest replicas."""
        whole = self._count_whole()
        usual = self._curve.bottleneck
        models = [name for name in whole if name != "ingress"]
        narrowest = min(models, key=lambda name: (whole[name], name != usual))
        for name, scaler in self._scalers.items():
            seen = {narrowest: usual, usual: narrowest}.get(name, name)
            scaler.observe(float(self._curve.count_ongoing(seen, in_system).sum()), self.env.now)

    def _receive(self, active: NDArray[np.intp]) -> Floats:
        """Send a second's documents to nodes at random; a node whose queue is too long refuses."""
        arrived = np.zeros_like(self._backlog)
        rate = self._load.pages_per_s(self.env.now) * self._documents_per_page
        count = int(self._dice.poisson(rate))
        if count == 0:
            return arrived
        pages = self._pages[np.searchsorted(self._page_limits, self._dice.random(count))]
        self.day.arrived += int(pages.sum())
        nodes = (
            active[self._dice.integers(len(active), size=count)]
            if len(active)
            else np.zeros(count, dtype=int)
        )
        has_room = (self._backlog[nodes] <= self._room) & (len(active) > 0)
        refused = int(pages[~has_room].sum())
        self.day.refused += refused
        self._note({"refused": float(refused)})
        pages, nodes = pages[has_room], nodes[has_room]
        if len(pages):
            looked_at = self._dice.integers(len(pages), size=min(_SAMPLES, len(pages)))
            waits_s = self._backlog[nodes[looked_at]] / self._curve.pages_per_s
            document_s = self._curve.document_s
            times_s = waits_s + document_s[self._dice.integers(len(document_s), size=len(looked_at))]
            self._note_times(times_s, len(pages) / len(looked_at))
        np.add.at(arrived, nodes, pages)
        self._backlog += arrived
        return arrived

    def _lose_some(self) -> None:
        """Spot nodes are taken away at random."""
        chance = self._plan.spot.losses_per_node_hour.value / 3600
        spot = np.flatnonzero((self._state == _READY) & self._is_spot)
        self._lose(spot[self._dice.random(len(spot)) < chance])

    def _lose_many(self, at_s: float) -> Steps:
        yield self.env.timeout(at_s)
        spot = np.flatnonzero((self._state == _READY) & self._is_spot)
        self._lose(spot[: round(len(spot) * self._scenario.mass_loss_share)])

    def _lose(self, nodes: NDArray[np.intp]) -> None:
        self._state[nodes] = _DRAINING
        self._since_s[nodes] = self.env.now
        self.day.spot_losses += len(nodes)
        for _ in nodes:
            self._start_node(is_spot=True)

    def _remove_drained(self) -> None:
        draining = self._state == _DRAINING
        over = self.env.now - self._since_s >= self._plan.spot.drain_s.value
        gone = draining & ((self._backlog <= 0.0) | over)
        self.day.lost += int(self._backlog[gone].sum())
        self._backlog[gone] = 0.0
        self._state[gone] = _ABSENT

    def _scale(self) -> Steps:
        scenario, tracking = self._scenario, self._tracking
        while True:
            yield self.env.timeout(_MINUTE_S)
            wanted = self._count_workers({name: scaler.wanted for name, scaler in self._scalers.items()})
            tracking.observe(wanted, self.env.now)
            present = np.flatnonzero((self._state == _STARTING) | (self._state == _READY))
            for _ in range(tracking.asked - len(present)):
                spot_wanted = (tracking.asked - scenario.min_workers) * scenario.spot_percent / 100
                self._start_node(is_spot=bool(self._is_spot[present].sum() < spot_wanted))
                present = np.flatnonzero((self._state == _STARTING) | (self._state == _READY))
            if tracking.asked < len(present):
                self._drain(present[tracking.asked - len(present) :])
            self._close_minute(wanted)

    def _drain(self, nodes: NDArray[np.intp]) -> None:
        self._state[nodes] = _DRAINING
        self._since_s[nodes] = self.env.now

    def _start_node(self, is_spot: bool, is_ready: bool = False) -> None:
        free = np.flatnonzero(self._state == _ABSENT)
        if len(free) == 0:
            return
        slot = int(free[0])
        self._state[slot], self._is_spot[slot] = (_READY if is_ready else _STARTING), is_spot
        self._since_s[slot] = started_s = self.env.now
        self._backlog[slot] = self._carry[slot] = 0.0

        def get_ready() -> Steps:
            yield self.env.timeout(self._plan.start.total_s)
            if self._state[slot] == _STARTING and self._since_s[slot] == started_s:
                self._state[slot] = _READY

        self.env.process(get_ready())

    def _note(self, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            self._minute[name] = self._minute.get(name, 0.0) + value

    def _note_times(self, times_s: Floats, weight: float) -> None:
        values, weights = self._minute_times
        values += times_s.tolist()
        weights += [weight] * len(times_s)

    def _close_minute(self, wanted: int) -> None:
        values, weights = self._minute_times
        self.day.times_s += values
        self.day.weights += weights
        self.day.minutes.append(
            {
                "at_s": self.env.now,
                **{
                    name: self._minute.get(name, 0.0) / _MINUTE_S for name in ("arrived", "served", "refused")
                },
                "p95_s": weighted_quantile(values, weights, 0.95),
                "wanted": wanted,
                "asked": self._tracking.asked,
                "ready": float((self._state == _READY).sum()),
                "present": float((self._state != _ABSENT).sum()),
            }
        )
        self._minute, self._minute_times = {}, ([], [])

"""Running the scenarios, and what is told of a day: rates, times, refusals, nodes, money."""

from dataclasses import dataclass
from multiprocessing import Pool

from capacity.fleet import Day, Fleet
from capacity.load import DAY_S
from capacity.node_curve import NodeCurve, measure
from capacity.parameters import Figure, Node, Plan, Prices, Scenario, load_node

_MILLION = 1_000_000


@dataclass(frozen=True)
class Result:
    """A scenario, the node that it ran on, and its day."""

    scenario: Scenario
    curve: NodeCurve
    day: Day
    usd: float

    @property
    def usd_per_million(self) -> float:
        """Money for a million pages that were read."""
        return self.usd / max(1, self.day.served) * _MILLION


def adapt_node(node: Node, scenario: Scenario) -> Node:
    """The node with the speeds of a scenario."""

    def scale(figure: Figure, factor: float) -> Figure:
        return figure if factor == 1.0 else figure.model_copy(update={"value": figure.value * factor})

    return node.model_copy(
        update={
            "gpu_speed": scale(node.gpu_speed, scenario.gpu_speed),
            "core_speed": scale(node.core_speed, scenario.core_speed),
        }
    )


def add_up(prices: Prices, day: Day, seconds: float) -> float:
    """What a fleet costs, in US dollars: instances, disks, the stack around them, the balancer's units."""
    on_demand_h = (day.node_s - day.spot_node_s) / 3600
    spot_h = day.spot_node_s / 3600
    workers = prices.worker_usd.value * (on_demand_h + spot_h * prices.spot_share_of_price.value)
    disks = prices.disk_usd.value * (on_demand_h + spot_h)
    balancer = prices.capacity_unit_usd.value * day.served * prices.gb_per_page.value
    return workers + disks + balancer + prices.fixed_usd.value * seconds / 3600


def run_scenario(
    plan: Plan, scenario: Scenario, node: Node, curve: NodeCurve, seconds: int = DAY_S, seed: int = 1
) -> Result:
    """Let the fleet of a scenario live."""
    day = Fleet(plan, scenario, node, curve, seed).run(seconds)
    return Result(scenario, curve, day, add_up(plan.prices, day, seconds))


def run_all(plan: Plan, seconds: int = DAY_S, seed: int = 1, processes: int = 1) -> list[Result]:
    """All scenarios, so many side by side. A kind of node is measured once, whichever scenarios run on it."""
    nodes = [adapt_node(load_node(plan.node), scenario) for scenario in plan.scenarios]
    kinds = [
        (node, scenario.pages_per_document) for node, scenario in zip(nodes, plan.scenarios, strict=True)
    ]
    distinct = [kind for index, kind in enumerate(kinds) if kind not in kinds[:index]]
    with Pool(processes) as pool:
        measured = pool.starmap(measure, distinct, chunksize=1)
        curves = [measured[distinct.index(kind)] for kind in kinds]
        days = [
            (plan, scenario, node, curve, seconds, seed)
            for scenario, node, curve in zip(plan.scenarios, nodes, curves, strict=True)
        ]
        return pool.starmap(run_scenario, days, chunksize=1)

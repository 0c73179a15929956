"""Who sends documents to one node: callers that wait for their answer, or people who come when they come."""

import random
from collections.abc import Mapping

import simpy

from capacity.node import SimulatedNode
from capacity.processors import Steps


def draw_pages(pages_per_document: Mapping[int, float], chance: random.Random) -> int:
    """Pages of a document; the shares need not add up to one."""
    return chance.choices([*pages_per_document], weights=[*pages_per_document.values()])[0]


def mean_pages(pages_per_document: Mapping[int, float]) -> float:
    """Pages of a document on average."""
    total = sum(pages_per_document.values())
    return sum(pages * share for pages, share in pages_per_document.items()) / total


def run_closed_loop(env: simpy.Environment, node: SimulatedNode, callers: int, documents: int) -> None:
    """So many callers, who send documents of one page, each the next when the last is answered."""
    left = [documents]

    def call() -> Steps:
        while left[0] > 0:
            left[0] -= 1
            yield env.process(node.read_document(1))

    env.run(until=env.all_of([env.process(call()) for _ in range(callers)]))


def run_open_loop(
    env: simpy.Environment,
    node: SimulatedNode,
    pages_per_s: float,
    pages_per_document: Mapping[int, float],
    seconds: float,
    chance: random.Random,
) -> None:
    """Documents at random moments, so many pages a second on average. The last ones stay on their way."""
    documents_per_s = pages_per_s / mean_pages(pages_per_document)

    def come() -> Steps:
        while True:
            yield env.timeout(chance.expovariate(documents_per_s))
            env.process(node.read_document(draw_pages(pages_per_document, chance)))

    env.process(come())
    env.run(until=env.now + seconds)

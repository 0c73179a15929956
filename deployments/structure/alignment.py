"""Putting things that stand in order into places that stand in order, as cheaply as possible."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.float64]


def align(costs: Costs, share_cost: Callable[[int, int], float], skip_cost: float) -> list[int]:
    """A place for each thing, never before that of the thing before it, at the least total cost.

    ``costs`` of shape (things, places) is what it costs to put a thing in a place. The price that
    ``share_cost(thing, place)`` names is added where it shares the place with the thing before, ``skip_cost``
    for each place that stays empty. Dynamic programming, in things times places squared.
    """
    things, places = costs.shape
    if not things:
        return []
    best = np.array(costs[0]) + skip_cost * np.arange(places)
    origin = np.zeros((things, places), np.intp)
    steps = skip_cost * np.arange(places)
    for thing in range(1, things):
        reached = np.empty(places)
        for place in range(places):
            stayed = best[place] + share_cost(thing, place)
            before = best[:place] + steps[:place][::-1]
            moved = int(before.argmin()) if place else -1
            if place and before[moved] < stayed:
                reached[place], origin[thing, place] = before[moved], moved
            else:
                reached[place], origin[thing, place] = stayed, place
        best = reached + costs[thing]
    place = int((best + steps[::-1]).argmin())
    chosen = [place]
    for thing in range(things - 1, 0, -1):
        place = int(origin[thing, place])
        chosen.append(place)
    return chosen[::-1]

"""Things in order into places in order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deployments.structure.alignment import align


def test_each_thing_goes_to_its_nearest_place() -> None:
    """Where nothing stands in the way."""
    costs = np.array([[0, 5, 9], [5, 0, 5], [9, 5, 0]], float)
    assert align(costs, lambda *_: 1.0, 0.1) == [0, 1, 2]


def test_the_order_is_kept_even_if_it_costs() -> None:
    """The second thing would rather stand first."""
    costs = np.array([[5, 0], [0, 3]], float)
    assert align(costs, lambda *_: 9.0, 0.0) == [0, 1]
    assert align(costs, lambda *_: 0.0, 0.0) == [1, 1]


def test_sharing_a_place_has_its_price() -> None:
    """Two things go to two places, though both are nearest to the first."""
    costs = np.array([[0.0, 1.0], [0.0, 0.6]])
    assert align(costs, lambda *_: 1.0, 0.0) == [0, 1]
    assert align(costs, lambda *_: 0.5, 0.0) == [0, 0]


def test_an_empty_place_has_its_price() -> None:
    """Two things share a place only where the other one may stay empty."""
    costs = np.array([[0.0, 1.0], [0.0, 0.6]])
    assert align(costs, lambda *_: 0.0, 0.0) == [0, 0]
    assert align(costs, lambda *_: 0.0, 0.7) == [0, 1]


def test_nothing_needs_no_place() -> None:
    """No things, no answer."""
    assert align(np.zeros((0, 3)), lambda *_: 0.0, 0.0) == []


@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 10_000))
def test_places_never_fall(things: int, places: int, seed: int) -> None:
    """Whatever the costs, the order of the things is that of their places, and the total is the least."""
    costs = np.random.default_rng(seed).random((things, places))
    chosen = align(costs, lambda *_: 0.2, 0.1)
    assert len(chosen) == things
    assert chosen == sorted(chosen)
    assert set(chosen) <= set(range(places))

"""Sharing the lines of a page out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deployments.document import LineCrop
from deployments.spreading import share_lines


def make_crops(widths: list[int]) -> list[LineCrop]:
    """Lines of 20 pixels' height."""
    quad = np.zeros((4, 2), np.float32)
    return [LineCrop(np.zeros((20, width, 3), np.uint8), quad) for width in widths]


@given(widths=st.lists(st.integers(1, 900), max_size=60), shares=st.integers(1, 6))
def test_every_line_is_in_exactly_one_share(widths: list[int], shares: int) -> None:
    """No line is read twice, none is forgotten, and no share is empty."""
    groups = share_lines(make_crops(widths), shares)
    assert sorted(index for group in groups for index in group) == list(range(len(widths)))
    assert len(groups) <= shares
    assert all(groups)


def test_shares_have_about_the_same_work() -> None:
    """One long line weighs as much as several short ones."""
    widths = [600, 100, 100, 100, 100, 100, 100, 300, 300]
    groups = share_lines(make_crops(widths), 2)
    loads = [sum(widths[index] for index in group) for group in groups]
    assert max(loads) - min(loads) <= 100


def test_lines_of_one_width_stay_together() -> None:
    """Four widths in two shares: no width is in both."""
    widths = [100, 400, 150, 350] * 8
    first, second = share_lines(make_crops(widths), 2)
    shared = {widths[index] for index in first} & {widths[index] for index in second}
    assert len(shared) <= 1


def test_few_lines_stay_together() -> None:
    """A call costs as much as a short line."""
    assert share_lines(make_crops([100] * 7), 4) == [list(range(7))]

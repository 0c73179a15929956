"""Sharing the lines of a page out, so that several recognisers read it at once."""

from collections.abc import Sequence
from itertools import accumulate

from deployments.document import LineCrop

# A call costs a few milliseconds, as much as reading a short line: fewer lines than this stay together.
_MIN_LINES_A_SHARE = 4
# What a line costs however short it is, in widths that equal its height.
_COST_OF_ANY_LINE = 0.5


def share_lines(crops: Sequence[LineCrop], shares: int) -> list[list[int]]:
    """Indices of the crops in at most ``shares`` groups of about the same work, none of them empty.

    The work of a line is its width at a common height. A group has lines of similar widths: a network needs a
    millisecond to change from one width to another (docs/benchmarks.md), a seventh of what a line takes.
    """
    count = max(1, min(shares, len(crops) // _MIN_LINES_A_SHARE))
    work = [crop.pixels.shape[1] / crop.pixels.shape[0] + _COST_OF_ANY_LINE for crop in crops]
    by_width = sorted(range(len(crops)), key=work.__getitem__)
    groups: list[list[int]] = [[] for _ in range(count)]
    share = sum(work) / count
    for index, reached in zip(by_width, accumulate(work[index] for index in by_width), strict=True):
        # A line belongs where its middle lies when all lines stand in a row.
        middle = reached - work[index] / 2
        groups[min(int(middle / share), count - 1)].append(index)
    return [sorted(group) for group in groups if group]

"""Sharing the lines of a page out, so that several recognisers read it at once."""

from collections.abc import Sequence

from deployments.document import LineCrop

# A call costs a few milliseconds, as much as reading a short line: fewer lines than this stay together.
_MIN_LINES_A_SHARE = 4


def share_lines(crops: Sequence[LineCrop], shares: int) -> list[list[int]]:
    """Indices of the crops in at most ``shares`` groups of about the same work, none of them empty.

    The work of a line is its width at a common height. Longest first, each to the group that has least so far
    (Graham, "Bounds on multiprocessing timing anomalies", 1969).
    """
    count = max(1, min(shares, len(crops) // _MIN_LINES_A_SHARE))
    groups: list[list[int]] = [[] for _ in range(count)]
    loads = [0.0] * count
    work = [crop.pixels.shape[1] / crop.pixels.shape[0] for crop in crops]
    for index in sorted(range(len(crops)), key=work.__getitem__, reverse=True):
        lightest = loads.index(min(loads))
        groups[lightest].append(index)
        loads[lightest] += work[index]
    return [sorted(group) for group in groups if group]

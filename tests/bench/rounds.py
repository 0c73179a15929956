"""Figures of timed rounds: every page once, or once a caller's turn."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Round:
    """Seconds of each page, of the whole round, of the processors, and the memory at its end or peak."""

    page_s: list[float]
    elapsed_s: float
    cpu_s: float
    memory_mib: float


@dataclass(frozen=True)
class Figures:
    """What is said of one contender; rates are medians over the rounds, percentiles are over all pages."""

    pages_per_s: float
    ms_per_page: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_s_per_page: float
    memory_mib: float


def summarize(rounds: Sequence[Round]) -> Figures:
    """Figures over all rounds of a contender."""
    page_s = sorted(second for one in rounds for second in one.page_s)
    percentiles = statistics.quantiles(page_s, n=100, method="inclusive")
    pages_per_s = statistics.median(len(one.page_s) / one.elapsed_s for one in rounds)
    return Figures(
        pages_per_s,
        1e3 / pages_per_s,
        percentiles[49] * 1e3,
        percentiles[94] * 1e3,
        percentiles[98] * 1e3,
        sum(one.cpu_s for one in rounds) / len(page_s),
        max(one.memory_mib for one in rounds),
    )


def compare_rates(ours: Sequence[Round], theirs: Sequence[Round]) -> tuple[float, float, float]:
    """Our pages a second over theirs, round by round: median, least and greatest."""
    ratios = [
        (len(one.page_s) / one.elapsed_s) / (len(other.page_s) / other.elapsed_s)
        for one, other in zip(ours, theirs, strict=True)
    ]
    return statistics.median(ratios), min(ratios), max(ratios)

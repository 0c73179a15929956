"""What a window of scrapes says: rates of counters, gauges, and quantiles of histograms.

Rates are taken series by series, so that a replica that starts anew (its counters begin at 0) counts what it
has done since, as Prometheus' `rate` does.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

from serve_app.report.scrapes import Labels, Scrape, pick

Key = tuple[str, ...]
Points = list[tuple[float, float]]


class Window:
    """Scrapes of one service, in order of time; times of points are seconds since the first."""

    def __init__(self, scrapes: Sequence[Scrape]) -> None:
        if len(scrapes) < 2:
            raise ValueError("a window needs two scrapes at least: rates are differences")
        self.scrapes = scrapes
        self.start_s = scrapes[0].time_s
        self.length_s = scrapes[-1].time_s - scrapes[0].time_s
        if self.length_s <= 0:
            raise ValueError("all scrapes of the window are of one moment")

    def rates(self, name: str, by: Sequence[str] = ()) -> dict[Key, Points]:
        """Growth a second of a counter between scrapes, summed over series with the same labels ``by``."""
        lines: dict[Key, Points] = {}
        for old, new in self._pairs():
            elapsed_s = new.time_s - old.time_s
            for key, growth in _grow(old, new, name, by).items():
                lines.setdefault(key, []).append((new.time_s - self.start_s, growth / elapsed_s))
        return lines

    def totals(self, name: str, by: Sequence[str] = ()) -> dict[Key, float]:
        """Growth of a counter over the whole window."""
        totals: dict[Key, float] = defaultdict(float)
        for old, new in self._pairs():
            for key, growth in _grow(old, new, name, by).items():
                totals[key] += growth
        return dict(totals)

    def gauges(self, name: str, by: Sequence[str] = (), *, mean: bool = False) -> dict[Key, Points]:
        """A gauge at each scrape, summed over series (or their mean)."""
        lines: dict[Key, Points] = {}
        for scrape in self.scrapes:
            found: dict[Key, list[float]] = defaultdict(list)
            for labels, value in scrape.samples.get(name, {}).items():
                found[pick(labels, by)].append(value)
            for key, values in found.items():
                value = sum(values) / (len(values) if mean else 1)
                lines.setdefault(key, []).append((scrape.time_s - self.start_s, value))
        return lines

    def quantile_line(self, name: str, quantile: float) -> Points:
        """A quantile of a histogram between each scrape and the next; nothing where nothing came."""
        points = []
        for old, new in self._pairs():
            value = find_quantile(_grow(old, new, f"{name}_bucket", ("le",)), quantile)
            if value is not None:
                points.append((new.time_s - self.start_s, value))
        return points

    def quantiles(self, name: str, quantile: float, by: Sequence[str] = ()) -> dict[Key, float]:
        """A quantile of a histogram over the whole window."""
        buckets: dict[Key, dict[Key, float]] = defaultdict(dict)
        for (*key, bound), count in self.totals(f"{name}_bucket", (*by, "le")).items():
            buckets[tuple(key)][(bound,)] = count
        found = {key: find_quantile(counts, quantile) for key, counts in buckets.items()}
        return {key: value for key, value in found.items() if value is not None}

    def _pairs(self) -> list[tuple[Scrape, Scrape]]:
        pairs = zip(self.scrapes, self.scrapes[1:], strict=False)
        return [(old, new) for old, new in pairs if new.time_s > old.time_s]


def find_quantile(buckets: dict[Key, float], quantile: float) -> float | None:
    """As Prometheus' `histogram_quantile`: a straight line within a bucket.

    ``buckets`` are cumulative counts by upper bound (``le``). None where nothing was counted.
    """
    bounds = sorted((float(bound), count) for (bound,), count in buckets.items())
    if not bounds or bounds[-1][1] <= 0:
        return None
    rank = quantile * bounds[-1][1]
    lower, below = 0.0, 0.0
    for bound, count in bounds:
        if count >= rank:
            if math.isinf(bound):
                return lower
            share = (rank - below) / (count - below) if count > below else 1.0
            return lower + (bound - lower) * share
        lower, below = bound, count
    return lower


def _grow(old: Scrape, new: Scrape, name: str, by: Sequence[str]) -> dict[Key, float]:
    growth: dict[Key, float] = defaultdict(float)
    before = old.samples.get(name, {})
    for labels, value in new.samples.get(name, {}).items():
        growth[pick(labels, by)] += _difference(before, labels, value)
    return dict(growth)


def _difference(before: "dict[Labels, float] | object", labels: Labels, value: float) -> float:
    earlier = before.get(labels, 0.0) if isinstance(before, dict) else 0.0
    # Less than before: the replica has started anew.
    return value - earlier if value >= earlier else value

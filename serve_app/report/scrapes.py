"""A window of scrapes of `/metrics`: one text after another in a file, and the samples in them.

In the file each scrape begins with a comment that says when it was made: `# scraped_at 1795826753.5`. Ray's
own export puts `ray_` before our names; here they are the same metric.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

_HEADING = re.compile(r"^# scraped_at ([0-9]+(?:\.[0-9]+)?)\s*$", re.MULTILINE)
_PREFIX = "ray_"

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Scrape:
    """All samples of one moment, by name and labels."""

    time_s: float
    samples: Mapping[str, Mapping[Labels, float]]


def format_scrape(time_s: float, text: str) -> str:
    """One scrape as it stands in a file."""
    return f"# scraped_at {time_s:.3f}\n{text.rstrip()}\n"


def parse_scrapes(text: str) -> list[Scrape]:
    """The scrapes of a file, in order of time. Raises `ValueError` for text that is something else."""
    pieces = _HEADING.split(text)
    if len(pieces) < 3:
        raise ValueError("this is no window of scrapes: no line begins with `# scraped_at`")
    scrapes = [
        parse_scrape(float(time_s), body) for time_s, body in zip(pieces[1::2], pieces[2::2], strict=True)
    ]
    return sorted(scrapes, key=lambda scrape: scrape.time_s)


def parse_scrape(time_s: float, text: str) -> Scrape:
    """One scrape. Raises `ValueError` for text that is not Prometheus' own."""
    samples: dict[str, dict[Labels, float]] = {}
    try:
        for name, labels, value in _read(text):
            series = samples.setdefault(name, {})
            series[labels] = series.get(labels, 0.0) + value
    except (ValueError, KeyError, IndexError) as error:
        raise ValueError(f"this is not the text of `/metrics`: {error}") from None
    return Scrape(time_s, samples)


def _read(text: str) -> Iterator[tuple[str, Labels, float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name.removeprefix(_PREFIX), frozenset(sample.labels.items()), sample.value


def pick(labels: Labels, names: Iterable[str]) -> tuple[str, ...]:
    """The values of these labels, in their order; empty where one is missing."""
    values = dict(labels)
    return tuple(values.get(name, "") for name in names)

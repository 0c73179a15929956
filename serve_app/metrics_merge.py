"""Metrics of many nodes as those of one cluster: read, named anew, and remembered where a node is gone.

What is counted twice nowhere: a series belongs to one node and says so with the label `node`. A sum over
counters never falls while the memory lasts: the last counters of a node that does not answer, or has left,
are shown on. Ray keeps those of a dead replica at its node's agent by itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from deployments.metric_table import METRICS

_OWN_PREFIX = "ray_ocr_"
_SHOWN_PREFIXES = {
    "own": (_OWN_PREFIX,),
    "serve": (_OWN_PREFIX, "ray_serve_", "ray_node_"),
}
# What Ray's exporter adds and what says nothing here, or is said by `node` and `replica`.
_NOISE = frozenset(
    {"otel_scope_name", "otel_scope_schema_url", "otel_scope_version", "SessionName", "Version", "Component"}
)
_NOISE_OF_OWN = _NOISE | {"WorkerId", "NodeAddress"}
_LASTING_KINDS = ("counter", "histogram")
# Older nodes that have left are added up under this name: a cluster that changes all the time stays readable.
_MAX_GONE = 32
GONE = "gone"


@dataclass(frozen=True)
class NodePage:
    """What one node's agent said; ``text`` is None where it did not answer."""

    node: str
    address: str
    text: str | None


class MetricsMerge:
    """Merges pages of nodes, and remembers the counters of those that are not there."""

    def __init__(self) -> None:
        self._last: dict[str, list[Metric]] = {}

    def merge(self, pages: Sequence[NodePage], include: str) -> bytes:
        """The metrics of the cluster in Prometheus' text format; ``include`` is `own`, `serve` or `all`."""
        merged: dict[str, Metric] = {}
        for page in pages:
            if page.text is None:
                _add_all(merged, self._last.get(page.node, ()))
                continue
            families = [_rename(family, page.node) for family in _parse(page.text, include)]
            self._last[page.node] = [
                family for family in families if family.name in METRICS and family.type in _LASTING_KINDS
            ]
            _add_all(merged, families)
        gone = [node for node in self._last if node not in {page.node for page in pages}]
        for node in gone:
            _add_all(merged, self._last[node])
        self._fold(gone)
        _add_all(merged, _describe_nodes(pages, len(gone)))
        return generate_latest(_Collected(merged.values()))

    def _fold(self, gone: Sequence[str]) -> None:
        """Add up the counters of nodes that left long ago: those that left first, first."""
        for node in [node for node in gone if node != GONE][:-_MAX_GONE]:
            sums: dict[tuple[str, str], Metric] = {}
            values: dict[tuple[str, str, tuple[tuple[str, str], ...]], float] = {}
            for family in (*self._last.get(GONE, ()), *self._last.pop(node)):
                sums.setdefault((family.name, family.type), family)
                for sample in family.samples:
                    labels = {**sample.labels, "node": GONE}
                    if "replica" in labels:
                        labels["replica"] = GONE
                    key = (family.name, sample.name, tuple(sorted(labels.items())))
                    values[key] = values.get(key, 0.0) + sample.value
            folded = []
            for (name, kind), family in sums.items():
                total = Metric(name, family.documentation, kind)
                total.samples = [
                    Sample(sample, dict(labels), value)
                    for (owner, sample, labels), value in values.items()
                    if owner == name
                ]
                folded.append(total)
            self._last[GONE] = folded


class _Collected:
    """What `generate_latest` takes for a registry."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


def _parse(text: str, include: str) -> Iterable[Metric]:
    if include != "all":
        # Most of what Ray exports is about itself; leaving it out first is ten times faster.
        text = "".join(_choose_lines(text, _SHOWN_PREFIXES[include]))
    found: Iterable[Metric] = text_string_to_metric_families(text)
    return found


def _choose_lines(text: str, prefixes: tuple[str, ...]) -> Iterator[str]:
    """The lines of families with these prefixes, without Ray's own histograms, which are most of its text."""
    is_shown = False
    for line in text.splitlines(keepends=True):
        if line.startswith("# HELP "):
            heading = line
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(maxsplit=3)
            is_own = name.startswith(_OWN_PREFIX)
            is_shown = name.startswith(prefixes) and (is_own or kind.strip() != "histogram")
            if is_shown:
                yield heading
                yield line
        elif is_shown:
            yield line


def _rename(family: Metric, node: str) -> Metric:
    """The family without Ray's prefix, where it is the service's own, and with the node that it came from."""
    own = family.name.startswith(_OWN_PREFIX)
    prefix, noise = ("ray_", _NOISE_OF_OWN) if own else ("", _NOISE)
    name = family.name.removeprefix(prefix)
    spec = METRICS.get(name)
    renamed = Metric(name, spec.meaning if spec else family.documentation, family.type)
    renamed.samples = [
        Sample(
            sample.name.removeprefix(prefix),
            {
                **{label: value for label, value in sample.labels.items() if label not in noise},
                "node": node,
            },
            sample.value,
        )
        for sample in family.samples
    ]
    return renamed


def _add_all(merged: dict[str, Metric], families: Iterable[Metric]) -> None:
    for family in families:
        if family.name in merged:
            merged[family.name].samples.extend(family.samples)
        else:
            copy = Metric(family.name, family.documentation, family.type)
            copy.samples = list(family.samples)
            merged[family.name] = copy


def _describe_nodes(pages: Sequence[NodePage], gone: int) -> Iterator[Metric]:
    up = Metric("ocr_node_up", METRICS["ocr_node_up"].meaning, "gauge")
    for page in pages:
        labels: Mapping[str, str] = {"node": page.node, "address": page.address}
        up.add_sample("ocr_node_up", dict(labels), float(page.text is not None))
    yield up
    left = Metric("ocr_nodes_gone", METRICS["ocr_nodes_gone"].meaning, "gauge")
    left.add_sample("ocr_nodes_gone", {}, float(gone))
    yield left

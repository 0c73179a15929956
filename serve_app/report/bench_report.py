"""The report of a bench: `bench-results/bench.json`, which `make bench` writes."""

from collections.abc import Iterator, Mapping
from typing import Any

from serve_app.report.charts import Unit, draw_bars, show_number
from serve_app.report.page import Card, Report, Tile, draw_table

_PARTS = {
    "networks": "networks",
    "pre_and_post": "before and after them",
    "replicas": "Ray in the replicas",
    "ingress": "HTTP, decoding",
    "ray": "Ray's own processes",
}
_NEEDED = ("figures", "cores", "pages", "rounds")


def is_bench(content: object) -> bool:
    """Whether this is what a bench has written."""
    return isinstance(content, dict) and all(name in content for name in _NEEDED)


def report_bench(results: Mapping[str, Any]) -> Report:
    """All charts of a bench. Raises `ValueError` for figures that are not there."""
    try:
        return Report(
            "Bench report",
            f"{results['pages']} pages, {results['rounds']} rounds, {results['cores']} cores",
            list(_list_tiles(results)),
            list(_list_cards(results)),
            "The service is called over HTTP; the others read page by page with all cores, in one process.",
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no result of a bench: {error!r}") from None


def _list_tiles(results: Mapping[str, Any]) -> Iterator[Tile]:
    figures = {name: one for name, one in results["figures"].items() if name.startswith("service@")}
    if figures:
        name, best = max(figures.items(), key=lambda item: item[1]["pages_per_s"])
        yield Tile(show_number(best["pages_per_s"]), f"pages a second, {name.replace('@', ' at ')} callers")
        yield Tile(f"{best['p95_ms']:.0f} ms", "95 % of its answers within")
    for rival, (median, *_) in results.get("ratios", {}).items():
        yield Tile(f"{median:.2f} ×", f"as fast as {rival}", is_bad=median < 1)
    if "efficiency" in results:
        yield Tile(f"{results['efficiency']:.0%}", "of the cores' time is in networks")
    refused = results.get("refused", 0)
    yield Tile(show_number(refused), "requests refused", is_bad=refused > 0)


def _list_cards(results: Mapping[str, Any]) -> Iterator[Card]:
    figures = results["figures"]

    def bars(heading: str, note: str, column: str, unit: Unit) -> Card:
        order = sorted(figures, key=lambda name: figures[name][column], reverse=column == "pages_per_s")
        parts = {_name(who): _by_kind(who, figures[who][column]) for who in order}
        return Card(heading, draw_bars(parts, unit, heading), note)

    yield bars("Pages a second", "The more, the better.", "pages_per_s", Unit())
    yield bars("Latency", "95 % of the answers within; the less, the better.", "p95_ms", Unit("ms"))
    yield Card("All figures", _draw_figures(results), is_wide=True)
    breakdown = results.get("breakdown_cpu_s_per_page")
    if breakdown:
        parts = {"a page": {label: breakdown[name] for name, label in _PARTS.items()}}
        chart = draw_bars(parts, Unit("s"), "Processor time")
        yield Card("Processor time of a page", chart, "Four callers; seconds of all processes together.")
    yield bars("Memory", "Of the whole tree of processes; the less, the better.", "memory_mib", Unit("MiB"))
    first = results.get("first_ms_per_page")
    if first:
        chart = draw_bars({_name(who): _by_kind(who, ms) for who, ms in first.items()}, Unit("ms"), "First")
        yield Card("At first sight of each page", chart, "Networks meet shapes that they have not seen.")


def _draw_figures(results: Mapping[str, Any]) -> str:
    columns = {
        "pages/s": ("pages_per_s", ".2f"),
        "ms/page": ("ms_per_page", ".0f"),
        "p50 ms": ("p50_ms", ".0f"),
        "p95 ms": ("p95_ms", ".0f"),
        "p99 ms": ("p99_ms", ".0f"),
        "CPU s/page": ("cpu_s_per_page", ".2f"),
        "MiB": ("memory_mib", ".0f"),
    }
    rows = []
    for who, one in results["figures"].items():
        accuracy = results.get("accuracy", {}).get(who.partition("@")[0], {})
        scores = [f"{accuracy[name]:.3f}" if name in accuracy else "-" for name in ("boc_f1", "ned_sorted")]
        rows.append([_name(who), *(format(one[name], spec) for name, spec in columns.values()), *scores])
    return draw_table(["", *columns, "boc_f1", "ned_sorted"], rows)


def _by_kind(who: str, value: float) -> dict[str, float]:
    """The same kinds in the same order for everybody, so that each has one colour on all charts."""
    is_ours = who.startswith("service@")
    return {"this service": value if is_ours else 0.0, "others": 0.0 if is_ours else value}


def _name(who: str) -> str:
    return who.replace("service@", "service, callers: ")

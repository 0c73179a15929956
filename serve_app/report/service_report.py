"""The report of a window of scrapes: rates, latency, stages, errors, queue, memory."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from serve_app.report.charts import Unit, draw_bars, draw_lines, show_number
from serve_app.report.figures import Key, Points, Window
from serve_app.report.page import Card, Report, Tile, draw_table

_SECONDS = Unit("s")
_MS = Unit("ms", 1e3)
_PER_S = Unit("/s")
_MIB = Unit("MiB", 2**-20)
_QUANTILES = {"half": 0.5, "95 %": 0.95, "99 %": 0.99}
_PARTS = ("queue", "batch_wait", "pre", "network", "post")
_LATENCY = "ocr_request_seconds"


def report_service(window: Window) -> Report:
    """All charts that the window has figures for."""
    start = datetime.fromtimestamp(window.start_s, UTC)
    return Report(
        "Service report",
        f"{start:%Y-%m-%d %H:%M:%S} UTC, {window.length_s:.0f} s, {len(window.scrapes)} scrapes",
        list(_list_tiles(window)),
        list(_list_cards(window)),
        "Counters are differences between scrapes; quantiles are read from histograms, within their buckets.",
    )


def _list_tiles(window: Window) -> Iterator[Tile]:
    requests = _sum(window.totals("ocr_requests_total"))
    failed = sum(
        count
        for (status,), count in window.totals("ocr_requests_total", ["status"]).items()
        if status >= "500"
    )
    pages = sum(window.totals("ocr_pages_total").values())
    yield Tile(show_number(requests), "requests answered")
    yield Tile(show_number(requests / window.length_s), "requests a second")
    yield Tile(show_number(pages / window.length_s), "pages a second")
    yield Tile(show_number(_sum(window.totals("ocr_lines_total")) / window.length_s), "lines a second")
    for name, quantile in (("half", 0.5), ("95 %", 0.95)):
        found = window.quantiles(_LATENCY, quantile).get(())
        yield Tile("-" if found is None else _SECONDS.show(found), f"{name} of the answers within")
    share = failed / requests if requests else 0.0
    yield Tile(f"{share:.2%}", "answers 5xx", is_bad=failed > 0)
    refused = _sum(window.totals("ocr_admission_refusals_total"))
    yield Tile(show_number(refused), "refused as too long a wait", is_bad=refused > 0)


def _list_cards(window: Window) -> Iterator[Card]:
    yield _lines("Requests a second", "By status.", window.rates("ocr_requests_total", ["status"]), _PER_S)
    latency = {name: window.quantile_line(_LATENCY, quantile) for name, quantile in _QUANTILES.items()}
    yield Card(
        "Latency",
        draw_lines(latency, _SECONDS, "Latency"),
        "Seconds within which so many answers were complete.",
    )
    yield _lines(
        "Pages a second",
        "Read, or by the code of the page's error.",
        window.rates("ocr_pages_total", ["outcome"]),
        _PER_S,
    )
    yield Card("Routes", _draw_routes(window), "Over the whole window.")
    yield Card(
        "Where a request to a stage spends its time",
        draw_bars(_find_stage_parts(window), _MS, "Stages"),
        "Milliseconds a request: queue and batch_wait are waiting, the rest is a share of its batch.",
    )
    yield Card("Stages", _draw_stages(window), "Padding is what the recogniser computed for nothing.")
    errors = window.totals("ocr_errors_total", ["code"])
    yield Card(
        "Errors",
        draw_bars({code: {"": count} for (code,), count in _sorted(errors)}, Unit(), "Errors"),
        "Problem documents by code, over the whole window.",
    )
    queue = {
        "in flight": window.gauges("ocr_requests_in_flight").get((), []),
        "queued at stages": window.gauges("serve_deployment_queued_queries").get((), []),
    }
    yield Card("Requests on their way", draw_lines(queue, Unit(), "Queue"), "At each scrape, all replicas.")
    wait = {"expected wait": window.gauges("ocr_admission_wait_seconds", mean=True).get((), [])}
    yield Card(
        "Expected wait",
        draw_lines(wait, _SECONDS, "Wait"),
        "Of a document that comes now, as admission judges.",
    )
    memory = window.gauges("ocr_replica_memory_bytes", ["kind", "stage"])
    for kind, heading in (("private", "Memory"), ("gpu", "GPU memory")):
        found: dict[Key, Points] = {
            (stage,): points for (one, stage), points in memory.items() if one == kind
        }
        if kind == "private" or found:
            yield _lines(heading, "MiB of all replicas of a stage.", found, _MIB)


def _lines(heading: str, note: str, lines: Mapping[Key, Points], unit: Unit) -> Card:
    named = {" ".join(key) or "all": points for key, points in sorted(lines.items())}
    return Card(heading, draw_lines(named, unit, heading), note)


def _draw_routes(window: Window) -> str:
    counts = window.totals("ocr_requests_total", ["route"])
    errors = window.totals("ocr_errors_total", ["route"])
    quantiles = [window.quantiles(_LATENCY, quantile, ["route"]) for quantile in _QUANTILES.values()]
    rows = [
        [
            route or "?",
            show_number(count),
            show_number(errors.get((route,), 0.0)),
            *("-" if (route,) not in found else _SECONDS.show(found[(route,)]) for found in quantiles),
        ]
        for (route,), count in _sorted(counts)
        if count
    ]
    return draw_table(["route", "requests", "problems", *_QUANTILES], rows)


def _find_stage_parts(window: Window) -> dict[str, dict[str, float]]:
    items = window.totals("ocr_stage_items_total", ["stage"])
    seconds = window.totals("ocr_stage_seconds_total", ["stage", "part"])
    return {
        stage: {part: seconds.get((stage, part), 0.0) / count for part in _PARTS}
        for (stage,), count in sorted(items.items())
        if count
    }


def _draw_stages(window: Window) -> str:
    names = ("items", "batches", "runs", "dropped", "network_cpu_seconds")
    totals = {name: window.totals(f"ocr_stage_{name}_total", ["stage"]) for name in names}
    pixels = window.totals("ocr_stage_pixels_total", ["stage", "kind"])
    rows = []
    for (stage,), items in sorted(totals["items"].items()):
        if not items:
            continue
        batches, cpu_s = (
            totals["batches"].get((stage,), 0.0),
            totals["network_cpu_seconds"].get((stage,), 0.0),
        )
        padding, content = (pixels.get((stage, kind), 0.0) for kind in ("padding", "content"))
        rows.append(
            [
                stage,
                show_number(items),
                show_number(items / batches) if batches else "-",
                show_number(totals["runs"].get((stage,), 0.0)),
                f"{padding / (padding + content):.0%}" if padding + content else "-",
                show_number(cpu_s / window.length_s),
                show_number(totals["dropped"].get((stage,), 0.0)),
            ]
        )
    header = ["stage", "requests", "a batch", "runs", "padding", "cores in networks", "dropped"]
    return draw_table(header, rows)


def _sorted(totals: Mapping[Key, float]) -> list[tuple[Key, float]]:
    return sorted(totals.items(), key=lambda item: -item[1])


def _sum(totals: Mapping[Key, float]) -> float:
    return sum(totals.values())

"""Tables and a picture for docs/capacity.md."""

import re
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

from capacity.parameters import Node, Plan
from capacity.results import Result
from capacity.validation import Check

_PLACE = "(<!-- {0} -->\n).*?(<!-- /{0} -->)"
_READ, _SENT, _REFUSED, _WANTED = "#1f6f8b", "#b9c3c9", "#c0392b", "#f0b060"


def make_results(results: Sequence[Result]) -> str:
    """One row a scenario, and the picture below."""
    lines = [
        "| highest rate of the daily wave | pages/s of a node | nodes least / mean / most | p50 s | p95 s "
        "| refused | spot lost | USD a million pages |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for result in results:
        day = result.day
        present = [minute["present"] for minute in day.minutes]
        lines.append(
            f"| {result.scenario.name} | {result.curve.pages_per_s:.1f} "
            f"| {min(present):.0f} / {sum(present) / len(present):.0f} / {max(present):.0f} "
            f"| {day.quantile_s(0.5):.1f} | {day.quantile_s(0.95):.1f} | {day.refused / day.arrived:.2%} "
            f"| {day.spot_losses} | {result.usd_per_million:.0f} |"
        )
    return "\n".join([*lines, "", "![A day at 1,000 pages a second](images/capacity.png)"]) + "\n"


def make_checks(checks: Sequence[Check]) -> str:
    """Simulated beside measured."""
    lines = ["| callers | figure | measured | simulated | differs |", "|---:|---|---:|---:|---:|"]
    lines += [
        f"| {check.callers} | {check.name} | {check.measured:.0f} | {check.simulated:.0f} "
        f"| {check.difference:+.1%} |"
        for check in checks
    ]
    return "\n".join(lines) + "\n"


def make_assumptions(node: Node, plan: Plan) -> str:
    """Everything that nobody measured."""
    lines = ["| figure | source |", "|---|---|"]
    parts = [("", node), ("start.", plan.start), ("spot.", plan.spot), ("prices.", plan.prices)]
    for prefix, part in parts:
        lines += [f"| `{prefix}{name}` | {source} |" for name, source in part.list_assumptions()]
    return "\n".join(lines) + "\n"


def fill(page: Path, tables: dict[str, str]) -> None:
    """Put tables between their marks. Raises `ValueError` when a mark is missing."""
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        pattern = re.compile(_PLACE.format(name), re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"{page} has no place for {name}")
        text = pattern.sub(lambda match, table=table: match[1] + table + match[2], text)  # type: ignore[misc]
    page.write_text(text, encoding="utf-8")


def draw(results: Sequence[Result], path: Path) -> None:
    """A column a scenario: what was sent and read, nodes, times, over the hours of the day."""
    figure, axes = plt.subplots(
        3, len(results), figsize=(5 * len(results), 7.5), sharex=True, squeeze=False, layout="constrained"
    )
    for column, result in enumerate(results):
        minutes = result.day.minutes
        hours = [minute["at_s"] / 3600 for minute in minutes]

        def values(name: str, minutes: list[dict[str, float]] = minutes) -> list[float]:
            return [minute[name] for minute in minutes]

        rates, nodes, times = axes[:, column]
        sent = [minute["arrived"] + minute["refused"] for minute in minutes]
        rates.plot(hours, sent, color=_SENT, linewidth=1, label="sent")
        rates.plot(hours, values("served"), color=_READ, linewidth=1, label="read")
        rates.fill_between(hours, values("refused"), color=_REFUSED, label="refused")
        rates.set_title(result.scenario.name, fontsize=10)
        nodes.step(hours, values("wanted"), color=_WANTED, linewidth=1, label="wanted by Serve")
        nodes.step(hours, values("present"), color=_SENT, linewidth=1.5, label="paid for")
        nodes.step(hours, values("ready"), color=_READ, linewidth=1, label="ready")
        times.plot(hours, values("p95_s"), color=_READ, linewidth=1, label="p95 of each minute")
        times.set_ylim(top=30)
        times.set_xlabel("hour of the day")
        times.set_xlim(0, max(hours))
        # A wish far above what may be had would hide the rest.
        nodes.set_ylim(0, max(values("present")) * 1.3)
        for panel in (rates, nodes, times):
            panel.spines[["top", "right"]].set_visible(False)
            panel.legend(frameon=False, fontsize=8, loc="upper left")
        for panel, label in ((rates, "pages a second"), (nodes, "nodes"), (times, "seconds")):
            panel.set_ylabel(label)
            panel.set_ylim(bottom=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)

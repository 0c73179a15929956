"""Draws `bench-results/bench.json` for the documentation: `python tests/bench/plot.py`."""

import json
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from bench import RESULTS
from paths import ROOT

PICTURE = ROOT / "docs" / "images" / "throughput.png"
_OURS, _THEIRS = "#1f6f8b", "#b9c3c9"
_PARTS = {
    "networks": "networks",
    "pre_and_post": "before and after them",
    "replicas": "Ray in the replicas",
    "ingress": "HTTP, decoding",
    "ray": "Ray's own processes",
}


def draw_rates(axes: Axes, results: dict[str, Any]) -> None:
    """Bars of pages a second."""
    figures = results["figures"]
    names = sorted(figures, key=lambda name: figures[name]["pages_per_s"])
    rates = [figures[name]["pages_per_s"] for name in names]
    colours = [_OURS if name.startswith("service") else _THEIRS for name in names]
    labels = [name.replace("service@", "service over HTTP, callers: ") for name in names]
    axes.bar_label(axes.barh(labels, rates, color=colours), fmt="%.2f", padding=3)
    axes.set_xlim(0, max(rates) * 1.15)
    axes.set_xlabel(f"pages a second ({results['pages']} pages, {results['cores']} cores)")
    axes.spines[["top", "right"]].set_visible(False)


def draw_breakdown(axes: Axes, results: dict[str, Any]) -> None:
    """One bar of processor time."""
    breakdown, left = results["breakdown_cpu_s_per_page"], 0.0
    shades = ("#1f6f8b", "#4f94ab", "#86b7c7", "#f0b060", "#d9d9d9")
    total = sum(breakdown.values())
    for (name, label), shade in zip(_PARTS.items(), shades, strict=True):
        share = breakdown[name] / total
        axes.barh([""], breakdown[name], left=left, color=shade, label=f"{label} {share:.1%}")
        left += breakdown[name]
    axes.set_xlabel("processor seconds a page, four callers")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.legend(ncol=3, loc="upper center", bbox_to_anchor=(0.5, 1.9), frameon=False, fontsize=8)


def main() -> None:
    """Write the picture."""
    results = json.loads(RESULTS.read_text())
    figure, (rates, parts) = plt.subplots(2, 1, figsize=(8, 4.6), height_ratios=[4, 1], layout="constrained")
    draw_rates(rates, results)
    draw_breakdown(parts, results)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, dpi=110)
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    main()

"""The figures of a run as tables."""

from typing import Any

_COLUMNS = {
    "pages_per_s": ("pages/s", ".2f"),
    "ms_per_page": ("ms/page", ".0f"),
    "p50_ms": ("p50 ms", ".0f"),
    "p95_ms": ("p95 ms", ".0f"),
    "p99_ms": ("p99 ms", ".0f"),
    "cpu_s_per_page": ("CPU s/page", ".2f"),
    "memory_mib": ("MiB", ".0f"),
}


def print_report(results: dict[str, Any]) -> None:
    """Print who is how fast, how right, and where the service's time goes."""
    print(
        f"\n{results['pages']} pages, {results['rounds']} rounds, {results['cores']} cores; the idle service "
        f"takes {results['idle_cores']:.2f} of a core; {results['refused']} requests were refused\n"
    )
    rows = [["", *(title for title, _ in _COLUMNS.values()), "boc_f1", "ned_sorted"]]
    for who, figures in results["figures"].items():
        accuracy = results["accuracy"].get(who.partition("@")[0], {})
        rows.append(
            [
                who,
                *(format(figures[name], spec) for name, (_, spec) in _COLUMNS.items()),
                *(f"{accuracy[name]:.4f}" if accuracy else "-" for name in ("boc_f1", "ned_sorted")),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    print()
    for rival, (median, least, greatest) in results["ratios"].items():
        spread = f"{least:.2f} to {greatest:.2f}"
        print(f"service@4 reads {median:.2f} times as many pages/s as {rival} ({spread})")
    first = results["first_ms_per_page"]
    ours = first.pop("service@4")
    print(f"\nAt first sight of each page: service@4 {ours:.0f} ms a page", end="")
    print("".join(f", {name} {ms:.0f} ({ms / ours:.2f} times)" for name, ms in first.items()))
    breakdown = results["breakdown_cpu_s_per_page"]
    print("\nProcessor seconds a page, four callers: ", end="")
    print(", ".join(f"{name.replace('_', ' ')} {seconds:.3f}" for name, seconds in breakdown.items()))
    print(f"Outside networks: {results['outside_networks']:.1%} of the processor time")
    if "efficiency" in results:
        print(f"Efficiency: networks fill {results['efficiency']:.1%} of the cores' time with four callers")

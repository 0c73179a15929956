"""How many pages the service reads over HTTP, and how long each takes: a closed loop of so many callers.

    python tests/bench/throughput.py [--images DIR ...] [--concurrency 1 4 16] [--rounds 2]

Every image of the folders is sent once a round; one round is left uncounted, to warm the network's shapes up.
Prints a row a concurrency and saves the figures in bench-results/throughput.json.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from paths import FIXTURES, ROOT
from service import Service, running_service

_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
_MIB = 1024 * 1024


def measure(service: Service, pages: Sequence[bytes], concurrency: int, rounds: int) -> dict[str, float]:
    """Figures of one closed loop."""
    with service.client() as client:

        def read(page: bytes) -> float:
            start = time.perf_counter()
            client.post("/ocr", files={"file": page}).raise_for_status()
            return time.perf_counter() - start

        with ThreadPoolExecutor(concurrency) as pool:
            cpu_before, start = _cpu_seconds(service), time.perf_counter()
            seconds = sorted(pool.map(read, [page for _ in range(rounds) for page in pages]))
            elapsed = time.perf_counter() - start
    percentiles = statistics.quantiles(seconds, n=100, method="inclusive")
    return {
        "concurrency": concurrency,
        "pages_per_s": len(seconds) / elapsed,
        "ms_per_page": elapsed / len(seconds) * 1e3,
        "p50_ms": percentiles[49] * 1e3,
        "p95_ms": percentiles[94] * 1e3,
        "p99_ms": percentiles[98] * 1e3,
        "cpu_s_per_page": (_cpu_seconds(service) - cpu_before) / len(seconds),
        "memory_mib": service.memory_bytes() / _MIB,
    }


def _cpu_seconds(service: Service) -> float:
    """Processor time of the service's whole tree so far."""
    total = 0.0
    for process in [service.process, *service.process.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def main() -> None:
    """Measure each concurrency in turn on one running service."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=Path, nargs="+", default=[FIXTURES])
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    files = [path for folder in args.images for path in sorted(folder.iterdir())]
    pages = [path.read_bytes() for path in files if path.suffix.lower() in _IMAGE_SUFFIXES]
    rows = []
    with running_service("--profile", "cpu") as service:
        measure(service, pages, 4, 1)
        print(f"{len(pages)} pages, {args.rounds} rounds, {os.cpu_count()} cores")
        for concurrency in args.concurrency:
            row = measure(service, pages, concurrency, args.rounds)
            rows.append(row)
            print("  ".join(f"{name} {value:.4g}" for name, value in row.items()), flush=True)
    out = ROOT / "bench-results" / "throughput.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"cores": os.cpu_count(), "pages": len(pages), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()

"""Pages a second by the size of batches, for a machine with a GPU.

    python tests/bench/sweep.py --images DIR ... [--profile gpu-t4] [--sizes 1 2 4 8] [--callers 32]

For each size the service is started with batches of so many pages in the detector and so many times 16 lines
in the recognisers, and driven by a closed loop; size 1 with one caller is the same weights run page by page.
Prints pages/s, latency, accuracy where there is a truth, and utilisation and memory of the GPU while it ran;
saves them in bench-results/sweep.json.
"""

import argparse
import json
import math
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from statistics import mean
from typing import Any

import yaml

from accuracy import measure_accuracy
from load import Callers
from pages import Pages, find_pages
from paths import FIXTURES, ROOT
from rounds import summarize
from service import running_service

_LINES_A_PAGE = 16
_QUERY = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]
_SAMPLE_EVERY_S = 0.5
_RESULTS = ROOT / "bench-results" / "sweep.json"
# Pages for each caller of a round, so that its start and its end do not count for much.
_MIN_TURNS = 8


@dataclass
class GpuSamples:
    """Per cent of utilisation and MiB of memory, sampled while a block ran; empty without a GPU."""

    utilisation: list[float] = field(default_factory=list)
    memory_mib: list[float] = field(default_factory=list)

    def sample(self) -> None:
        """Take one sample of the first GPU."""
        rows = subprocess.run(_QUERY, capture_output=True, text=True, check=True, timeout=10).stdout
        row = rows.splitlines()[0]
        utilisation, memory = row.split(",")
        self.utilisation.append(float(utilisation))
        self.memory_mib.append(float(memory))

    def summarize(self) -> dict[str, float]:
        """Mean and highest utilisation in per cent, and the most memory in MiB; empty without a GPU."""
        if not self.utilisation:
            return {}
        return {
            "gpu_percent": mean(self.utilisation),
            "gpu_percent_max": max(self.utilisation),
            "gpu_mib": max(self.memory_mib),
        }


@contextmanager
def sampled_gpu() -> Iterator[GpuSamples]:
    """Samples of the block's time."""
    samples, stop = GpuSamples(), threading.Event()

    def watch() -> None:
        try:
            while not stop.wait(_SAMPLE_EVERY_S):
                samples.sample()
        except (OSError, subprocess.SubprocessError):
            return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield samples
    finally:
        stop.set()
        watcher.join()


def write_profile(base: str, size: int, folder: Path) -> Path:
    """The base profile with batches of so many pages."""
    text = (resources.files("configs") / "profiles" / f"{base}.yaml").read_text(encoding="utf-8")
    profile: dict[str, Any] = yaml.safe_load(text)
    lines = size * _LINES_A_PAGE
    profile["detection"]["knobs"].update(max_batch_size=size, max_items_per_run=size)
    profile["recognition"]["knobs"].update(max_batch_size=lines, max_items_per_run=min(lines, 64))
    path = folder / f"{base}-{size}.yaml"
    path.write_text(yaml.safe_dump(profile), encoding="utf-8")
    return path


def measure(profile: Path, pages: Pages, callers: int, rounds: int) -> dict[str, float]:
    """One row: a service of its own, warmed by one round."""
    paths = pages.paths * math.ceil(_MIN_TURNS * callers / len(pages.paths))
    with running_service("--profile", str(profile)) as service:
        loop = Callers(service)
        loop.read_all(paths, callers)
        with sampled_gpu() as samples:
            figures = summarize([loop.read_all(paths, callers) for _ in range(rounds)])
        row = {
            "pages_per_s": figures.pages_per_s,
            "p50_ms": figures.p50_ms,
            "p99_ms": figures.p99_ms,
            "refused": float(loop.refused),
            **samples.summarize(),
        }
        if pages.truth:
            row["boc_f1"] = measure_accuracy(pages.truth, loop.texts).boc_f1
    return row


def main() -> None:
    """One row page by page, then one a size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=Path, nargs="+", default=[FIXTURES])
    parser.add_argument("--profile", default="gpu-t4")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--callers", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    pages = find_pages(args.images)
    runs = [("page by page", 1, 1), *((f"batches of {size}", size, args.callers) for size in args.sizes)]
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, size, callers in runs:
            rows[name] = measure(write_profile(args.profile, size, Path(folder)), pages, callers, args.rounds)
            print(
                f"{name:14}", "  ".join(f"{key} {value:.4g}" for key, value in rows[name].items()), flush=True
            )
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(
        json.dumps({"profile": args.profile, "callers": args.callers, "rows": rows}, indent=1)
    )


if __name__ == "__main__":
    main()

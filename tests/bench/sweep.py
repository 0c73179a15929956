"""Pages a second by the size of batches, for a machine with a GPU.

    python tests/bench/sweep.py --images DIR ... [--profile gpu-t4] [--sizes 1 2 4 8] [--callers 32]

For each size the service is started with batches of so many pages in the detector and so many times 16 lines
in the recognisers, and driven by a closed loop; size 1 with one caller is the same weights run page by page.
Prints pages/s, latency, and utilisation and memory of the GPU while it ran.
"""

import argparse
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from statistics import mean
from typing import Any

import yaml

from load import Callers
from pages import find_pages
from paths import FIXTURES
from rounds import summarize
from service import running_service

_LINES_A_PAGE = 16
_QUERY = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]
_SAMPLE_EVERY_S = 0.5


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

    def describe(self) -> str:
        """The samples in a few words."""
        if not self.utilisation:
            return "no GPU"
        return (
            f"GPU {mean(self.utilisation):.0f} % (up to {max(self.utilisation):.0f} %), "
            f"{max(self.memory_mib):.0f} MiB"
        )


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


def measure(profile: Path, paths: Sequence[Path], callers: int, rounds: int) -> str:
    """One row: a service of its own, warmed by one round."""
    with running_service("--profile", str(profile)) as service:
        loop = Callers(service)
        loop.read_all(paths, callers)
        with sampled_gpu() as samples:
            figures = summarize([loop.read_all(paths, callers) for _ in range(rounds)])
    return (
        f"{figures.pages_per_s:8.2f} pages/s  p50 {figures.p50_ms:6.0f} ms  p99 {figures.p99_ms:6.0f} ms  "
        f"{samples.describe()}"
    )


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
    paths = find_pages(args.images).paths
    with tempfile.TemporaryDirectory() as folder:
        alone = write_profile(args.profile, 1, Path(folder))
        print("page by page  ", measure(alone, paths, 1, args.rounds), flush=True)
        for size in args.sizes:
            profile = write_profile(args.profile, size, Path(folder))
            print(f"batches of {size:3}", measure(profile, paths, args.callers, args.rounds), flush=True)


if __name__ == "__main__":
    main()

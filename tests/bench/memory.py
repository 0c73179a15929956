"""Whether replicas grow: the memory of each of them while the service reads a thousand documents over HTTP.

    python tests/bench/memory.py [--images DIR ...] [--requests 1000] [--concurrency 4] [--as-they-are]

The images of the folders (or of their ``images/``) are sent round and round, each time in another cut and
size, as real pages differ from each other. Every twenty requests, when all are answered, the resident set of
each replica is noted. The figures go to bench-results/memory.json and, drawn, to docs/images/memory.png.
Exits with 1 when a replica is more than 5 % larger after the last hundred requests than after the first, or
was replaced on the way. Stages that nobody asks for end meanwhile.
"""

import argparse
import io
import json
import random
import sys
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import psutil
from matplotlib import colormaps
from matplotlib.figure import Figure
from PIL import Image

from pages import find_pages
from paths import FIXTURES, ROOT
from service import Service, running_service

_MIB = 1024 * 1024
_SAMPLE_EVERY = 20
_SETTLED_AFTER = 100
_ALLOWED_RATIO = 1.05
_REPLICA_TITLE = "ray::ServeReplica:"


@dataclass(frozen=True)
class Size:
    """Resident memory of a replica, and the part of it that it shares with no other process."""

    rss_mib: float
    private_mib: float


@dataclass(frozen=True)
class Sample:
    """The replicas after so many requests, by deployment and process id."""

    requests: int
    replicas: dict[str, Size]


def measure_replicas(service: Service) -> dict[str, Size]:
    """Size of each replica among the service's processes."""
    sizes = {}
    for process in service.process.children(recursive=True):
        try:
            title, memory = " ".join(process.cmdline()), process.memory_info()
        except psutil.Error:
            continue
        if title.startswith(_REPLICA_TITLE):
            # "ray::ServeReplica:ocr:Recognition", followed by the method that runs just now.
            deployment = title.split(":")[-1].split(".")[0].strip()
            private_mib = (memory.rss - memory.shared) / _MIB
            sizes[f"{deployment} {process.pid}"] = Size(memory.rss / _MIB, private_mib)
    return dict(sorted(sizes.items()))


def cut_anew(path: Path, number: int) -> bytes:
    """A cut of the image as JPEG, of a place and size that depend on ``number`` alone."""
    chance = random.Random(number)
    with Image.open(path) as image:
        page = image.convert("RGB")
    width, height = (int(side * chance.uniform(0.4, 1.0)) for side in page.size)
    left, top = chance.randint(0, page.width - width), chance.randint(0, page.height - height)
    scale = chance.uniform(0.6, 1.4)
    cut = page.crop((left, top, left + width, top + height))
    out = io.BytesIO()
    cut.resize((max(32, int(width * scale)), max(32, int(height * scale)))).save(out, "JPEG", quality=90)
    return out.getvalue()


def run_load(
    service: Service, client: httpx.Client, load_page: Callable[[int], bytes], requests: int, concurrency: int
) -> list[Sample]:
    """Sizes before the first request and after every twenty of them."""

    def read(number: int) -> None:
        client.post("/ocr", files={"file": load_page(number)}).raise_for_status()

    samples = [Sample(0, measure_replicas(service))]
    with ThreadPoolExecutor(concurrency) as pool:
        for start in range(0, requests, _SAMPLE_EVERY):
            stop = min(start + _SAMPLE_EVERY, requests)
            for _ in pool.map(read, range(start, stop)):
                pass
            samples.append(Sample(stop, measure_replicas(service)))
    return samples


def report(samples: Sequence[Sample], on_demand: Collection[str]) -> bool:
    """Print a row a replica; whether all of them are still there and have kept their size.

    Those of the stages ``on_demand`` may have ended.
    """
    first = next(sample for sample in samples if sample.requests >= _SETTLED_AFTER)
    last = samples[-1]
    after_each = f"{first.requests:5} {last.requests:5}"
    print(f"{'MiB after requests':30} {0:5} {after_each}  ratio  private, {after_each}")
    kept = True
    for name in sorted({*first.replicas, *last.replicas}):
        before, after = first.replicas.get(name), last.replicas.get(name)
        if after is None and name.split()[0].lower() in on_demand:
            print(f"{name:30} has ended: nobody asked")
            continue
        if before is None or after is None:
            print(f"{name:30} was replaced on the way")
            kept = False
            continue
        ready = samples[0].replicas.get(name, before)
        ratio = after.rss_mib / before.rss_mib
        resident = f"{ready.rss_mib:5.0f} {before.rss_mib:5.0f} {after.rss_mib:5.0f}"
        private = f"{before.private_mib:5.0f} {after.private_mib:5.0f}"
        print(f"{name:30} {resident}  {ratio:5.3f}           {private}")
        kept = kept and ratio <= _ALLOWED_RATIO
    return kept


def draw(samples: Sequence[Sample], path: Path) -> None:
    """A line a replica: resident memory over requests."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.set_prop_cycle(color=colormaps["tab20"].colors)
    for name in sorted({name for sample in samples for name in sample.replicas}):
        known = [sample for sample in samples if name in sample.replicas]
        axes.plot(
            [sample.requests for sample in known],
            [sample.replicas[name].rss_mib for sample in known],
            label=name.split()[0],
        )
    axes.axvline(_SETTLED_AFTER, color="grey", linestyle=":", linewidth=1)
    axes.set(xlabel="requests", ylabel="resident memory, MiB", title="Memory of each replica", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> int:
    """Exit status 0 when every replica has kept its size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=Path, nargs="+", default=[FIXTURES])
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--as-they-are", action="store_true", help="send whole files, not cuts of them")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs" / "images" / "memory.png")
    args = parser.parse_args()
    if args.requests <= _SETTLED_AFTER:
        parser.error(f"--requests must be more than {_SETTLED_AFTER}")
    files = find_pages(args.images).paths

    def load_page(number: int) -> bytes:
        path = files[number % len(files)]
        return path.read_bytes() if args.as_they_are else cut_anew(path, number)

    with running_service("--profile", "cpu") as service, service.client() as client:
        on_demand = client.get("/health").json()["on_demand"]
        samples = run_load(service, client, load_page, args.requests, args.concurrency)
    out = ROOT / "bench-results" / "memory.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps([asdict(sample) for sample in samples], indent=1))
    draw(samples, args.picture)
    return 0 if report(samples, on_demand) else 1


if __name__ == "__main__":
    sys.exit(main())

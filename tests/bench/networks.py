"""Milliseconds that a run of each network takes, by how much it holds; for a machine with a GPU or without.

    python tests/bench/networks.py [--profile gpu-onnx] [--pages 1 2 4] [--lines 1 8 64] [--widths 320 1280]

One process, one network after the other, with the profile's engine and device: the detector on A4 pages at
the profile's side limit, the recogniser on lines of 48 pixels. What goes in and comes out is copied from and
to the memory of the machine, as in the service. Saves bench-results/networks.json.
"""

import argparse
import json
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from configs.profile import AppArgs, load_profile
from deployments.models.detection import DetectionRequest
from deployments.models.loader import load_detection, load_recognition

from paths import ROOT

RESULTS = ROOT / "bench-results" / "networks.json"
_RUNS = 10
_LINE_HEIGHT_PX = 48
_A4 = 2**-0.5


def time_ms(run: Callable[[], object]) -> float:
    """The median of ten runs, after two that do not count."""
    elapsed_ms = []
    for number in range(_RUNS + 2):
        start = time.perf_counter()
        run()
        if number >= 2:
            elapsed_ms.append(1e3 * (time.perf_counter() - start))
    return median(elapsed_ms)


def main() -> None:
    """One row a network and batch."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", default="gpu-onnx")
    parser.add_argument("--pages", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--lines", type=int, nargs="+", default=[1, 8, 32, 64, 128])
    parser.add_argument("--widths", type=int, nargs="+", default=[320, 1280])
    args = parser.parse_args()
    profile = load_profile(AppArgs(profile=args.profile), 1.0)
    rows = []
    random = np.random.default_rng(0)

    def note(network: str, items: int, shape: str, run: Callable[[], object]) -> None:
        ms = time_ms(run)
        rows.append({"network": network, "items": items, "shape": shape, "ms": ms})
        print(f"{network:12} {items:4} x {shape:10} {ms:9.2f} ms, {ms / items:8.3f} ms each", flush=True)

    detection = load_detection(profile.detection)
    print(detection.info)
    height = profile.detection.limit_side_len // 32 * 32
    width = int(height * _A4) // 32 * 32
    for items in args.pages:
        pages = random.integers(0, 256, (items, height, width, 3), np.uint8)
        batch = detection.model.pre([DetectionRequest(page) for page in pages], (height, width))
        note("detection", items, f"{height}x{width}", lambda batch=batch: detection.model.core(batch))
    recognition = load_recognition(profile.recognition)
    print(recognition.info)
    for width in args.widths:
        for items in args.lines:
            batch = random.normal(size=(items, 3, _LINE_HEIGHT_PX, width)).astype(np.float32)
            note("recognition", items, f"48x{width}", lambda batch=batch: recognition.model.core([batch]))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"profile": args.profile, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()

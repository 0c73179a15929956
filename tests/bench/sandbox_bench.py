"""What it costs to open files in processes that can die: a page drawn there and in this process, in turns.

    python tests/bench/sandbox_bench.py [--rounds 100]

Prints the least and the median milliseconds of each, of a call that does nothing, and of replacing a process
that was killed.
"""

import argparse
import asyncio
import os
import signal
import statistics
import time
from collections.abc import Awaitable, Callable

import numpy as np
import psutil
from PIL import Image

from configs.settings import RendererStage
from deployments.allocator import return_large_blocks
from deployments.sandbox.files import SandboxedFiles
from deployments.vision.pdf import PdfDocument

from fixtures.formats import make_pdf
from paths import FIXTURES

_DPI = 200
_MAX_PIXELS = 40_000_000


async def measure(rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each kind of call."""
    return_large_blocks()
    with Image.open(FIXTURES / "letter.png") as page:
        pdf = np.frombuffer(make_pdf([page.convert("RGB")]), np.uint8)
    files = SandboxedFiles(RendererStage(processes=1))
    files.sandbox.start()
    document = PdfDocument(pdf.tobytes())
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "page, in the sandbox": lambda: files.render_page("a", pdf, 1, _DPI, True),
        "page, in this process": lambda: asyncio.to_thread(
            document.render_page, 1, _DPI, _MAX_PIXELS, with_layer=True
        ),
        "nothing, in the sandbox": lambda: files.measure_pdf("a", pdf, _DPI),
        "nothing, after a kill": lambda: _kill_and_measure(files, pdf),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start_s = time.perf_counter()
            await call()
            times[name].append((time.perf_counter() - start_s) * 1e3)
    files.sandbox.close()
    return times


async def _kill_and_measure(files: SandboxedFiles, pdf: np.ndarray) -> object:
    for zygote in psutil.Process().children():
        for worker in zygote.children():
            os.kill(worker.pid, signal.SIGKILL)
    return await files.measure_pdf("a", pdf, _DPI)


def main() -> None:
    """Print a row a kind of call."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=100)
    for name, times in asyncio.run(measure(parser.parse_args().rounds)).items():
        print(f"{name:24} least {min(times):7.2f} ms, median {statistics.median(times):7.2f} ms")


if __name__ == "__main__":
    main()

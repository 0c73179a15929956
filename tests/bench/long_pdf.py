"""Long PDF files through the service: how soon the first page comes, and how much memory the whole takes.

    python tests/bench/long_pdf.py [--pages 50 200 500] [-- ARGUMENTS OF `ocr-serve run`]

The pages are the rendered test pages over and over, as pictures. Each file is streamed once; before it a file
of its first page is read whole five times. Prints the milliseconds to the answer for one page (median) and
to the first page of the stream, pages a second, and memory: the proportional set size of the whole tree of
processes when ready, and its highest value, looked at with every tenth page.
"""

import argparse
import json
import statistics
import time
from collections.abc import Sequence

import httpx
from PIL import Image

from fixtures.formats import make_pdf
from paths import FIXTURES
from service import Service, running_service

_MIB = 1024 * 1024
# Clean pages: five hundred of the noisy ones would exceed what a request may send.
_PAGES = ("letter.png", "receipt.png", "columns.png", "small_print.png")
_LOOK_EVERY = 10
_SINGLE_TRIES = 5


def measure_one_page(client: httpx.Client, page: bytes) -> float:
    """Median of the milliseconds to the whole answer."""
    times = []
    for _ in range(_SINGLE_TRIES):
        start = time.perf_counter()
        client.post("/ocr", files={"file": page}).raise_for_status()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def stream(service: Service, client: httpx.Client, pdf: bytes, count: int) -> tuple[float, float, float]:
    """Milliseconds to the first page, seconds to the last, and the highest memory in MiB.

    Raises `RuntimeError` when a page is missing or has an error.
    """
    highest, first_ms, numbers = 0.0, 0.0, []
    start = time.perf_counter()
    headers = {"accept": "application/x-ndjson"}
    with client.stream("POST", "/ocr", files={"file": pdf}, headers=headers) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            event = json.loads(line)
            if event["event"] != "page":
                continue
            if not numbers:
                first_ms = (time.perf_counter() - start) * 1e3
            if "error" in event["data"]:
                raise RuntimeError(f"page {event['id']} failed: {event['data']['error']}")
            numbers.append(event["id"])
            if event["id"] % _LOOK_EVERY == 1:
                highest = max(highest, service.memory_bytes() / _MIB)
    if numbers != list(range(1, count + 1)):
        raise RuntimeError(f"{len(numbers)} of {count} pages came")
    return first_ms, time.perf_counter() - start, highest


def run(service: Service, counts: Sequence[int]) -> None:
    """Print a row for each length."""
    images = [Image.open(FIXTURES / name).convert("RGB") for name in _PAGES]
    print(f"memory when ready {service.memory_bytes() / _MIB:.0f} MiB\n")
    print("pages  file MiB  one page ms  first page ms  ratio  pages/s  highest MiB")
    with service.client(timeout_s=900) as client:
        for count in counts:
            pdf = make_pdf([images[number % len(images)] for number in range(count)])
            one_ms = measure_one_page(client, make_pdf(images[:1]))
            first_ms, elapsed_s, highest = stream(service, client, pdf, count)
            print(
                f"{count:5} {len(pdf) / _MIB:9.1f} {one_ms:12.0f} {first_ms:14.0f} {first_ms / one_ms:6.2f} "
                f"{count / elapsed_s:8.2f} {highest:12.0f}",
                flush=True,
            )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, nargs="+", default=[50, 200, 500])
    parser.add_argument("arguments", nargs="*")
    args = parser.parse_args()
    with running_service(*args.arguments) as service:
        run(service, args.pages)


if __name__ == "__main__":
    main()

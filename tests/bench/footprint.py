"""How long the service takes to start, and how much memory its whole tree of processes takes.

    python tests/bench/footprint.py [--requests 60] [-- ARGUMENTS OF `ocr-serve run`]

Memory is the proportional set size (pages shared by processes are counted once), when the service is ready
and after so many requests with the rendered test pages.
"""

import argparse
import time

from paths import FIXTURES
from service import running_service

_MIB = 1024 * 1024


def main() -> None:
    """Print one row a figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("arguments", nargs="*")
    args = parser.parse_args()
    pages = [path.read_bytes() for path in sorted(FIXTURES.iterdir()) if path.suffix in (".png", ".jpg")]
    start = time.monotonic()
    with running_service(*args.arguments) as service, service.client() as client:
        print(f"ready after            {time.monotonic() - start:8.1f} s")
        print(f"memory when ready      {service.memory_bytes() / _MIB:8.0f} MiB")
        for number in range(args.requests):
            client.post("/ocr", files={"file": pages[number % len(pages)]}).raise_for_status()
        print(f"memory after {args.requests:3} pages {service.memory_bytes() / _MIB:8.0f} MiB")


if __name__ == "__main__":
    main()

"""How long the service takes to start, and how much memory its whole tree of processes takes.

    python tests/bench/footprint.py [--requests 60] [--until-idle] [-- ARGUMENTS OF `ocr-serve run`]

Memory is the proportional set size (pages shared by processes are counted once), when the service is ready,
after so many requests with the rendered test pages, and, some minutes later, when the stages have ended that
nobody has asked for.
"""

import argparse
import contextlib
import time
from collections.abc import Iterator

import psutil

from paths import FIXTURES
from service import Service, running_service

_MIB = 1024 * 1024


def main() -> None:
    """Print one row a figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--until-idle", action="store_true")
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
        if args.until_idle:
            ended = [f":{name.capitalize()}" for name in client.get("/health").json()["on_demand"]]
            while any(title.endswith(tuple(ended)) for title in list_titles(service)):
                time.sleep(1)
            print(f"memory of what stays   {service.memory_bytes() / _MIB:8.0f} MiB")


def list_titles(service: Service) -> Iterator[str]:
    """Titles of the service's processes; Ray gives replicas the names of their deployments."""
    for process in service.process.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            yield " ".join(process.cmdline()).strip()


if __name__ == "__main__":
    main()

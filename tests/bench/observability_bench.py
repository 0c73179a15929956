"""What metrics and logs cost: the service with them beside the same service without, round about.

Both run all the time and take turns, so that what changes on the machine meets both alike. The one with them
records every metric, writes the audit log and the log of stages to a file, and is read as Prometheus does.
"""

import argparse
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from load import Callers
from pages import find_pages
from rounds import Round, compare_rates, summarize
from service import Service, running_service

_OFF = {"METRICS": "off", "AUDIT_LOG": "off", "STAGE_LOG": "off"}
_TARGET = 0.97


def turn_on(log: Path) -> dict[str, str]:
    """The environment of the service that is observed."""
    return {"METRICS": "on", "AUDIT_LOG": str(log), "STAGE_LOG": str(log)}


@contextmanager
def scraped(service: Service, every_s: float) -> Iterator[None]:
    """Somebody reads the metrics, at the beginning and then so often."""
    ended = threading.Event()

    def scrape() -> None:
        with service.client() as client:
            while True:
                client.get("/metrics").raise_for_status()
                if ended.wait(every_s):
                    return

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def run(paths: Sequence[Path], engine: str, rounds: int, concurrency: int, scrape_s: float) -> None:
    """Print the rates of both, and the one over the other."""
    with ExitStack() as stack:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "lines.log"
        arguments = ("--engine", engine)
        observed = stack.enter_context(running_service(*arguments, environment=turn_on(log)))
        plain = stack.enter_context(running_service(*arguments, environment=_OFF))
        callers = {"on": Callers(observed), "off": Callers(plain)}
        for one in callers.values():
            one.read_all(paths, concurrency)
        with observed.client() as client:
            # The first question starts the actor that answers it.
            client.get("/metrics").raise_for_status()
        found: dict[str, list[Round]] = {"on": [], "off": []}
        for number in range(rounds):
            # Who goes first changes with each round.
            for name in ("on", "off") if number % 2 else ("off", "on"):
                with ExitStack() as scraping:
                    if name == "on":
                        scraping.enter_context(scraped(observed, scrape_s))
                    found[name].append(callers[name].read_all(paths, concurrency))
        if callers["on"].texts.keys() != callers["off"].texts.keys():
            raise RuntimeError("the two services have not read the same pages")
        lines = log.read_text().count("\n")
    print(
        f"{len(paths)} pages, {rounds} rounds, {concurrency} callers, engine {engine}; {lines} lines logged"
    )
    print("| metrics and logs | pages/s | ms/page | p95 ms | cpu s/page |")
    print("|---|---|---|---|---|")
    for name, made in found.items():
        figures = summarize(made)
        print(
            f"| {name} | {figures.pages_per_s:.2f} | {figures.ms_per_page:.0f} | {figures.p95_ms:.0f} | "
            f"{figures.cpu_s_per_page:.3f} |"
        )
    median, least, greatest = compare_rates(found["on"], found["off"])
    verdict = "kept" if median >= _TARGET else "missed"
    print(f"on / off: {median:.3f} ({least:.3f} to {greatest:.3f}); the target of {_TARGET} is {verdict}")


def main() -> None:
    """Read the arguments, and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="folders with pages")
    parser.add_argument("--engine", default="openvino")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--scrape-s", type=float, default=15.0)
    parser.add_argument("--limit", type=int, help="only the first pages")
    args = parser.parse_args()
    paths = find_pages(args.images).paths[: args.limit]
    run(paths, args.engine, args.rounds, args.concurrency, args.scrape_s)


if __name__ == "__main__":
    main()

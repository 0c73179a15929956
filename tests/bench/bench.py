"""The service over HTTP and its rivals in-process, side by side in one run, round after round.

    python tests/bench/bench.py [--images DIR ...] [--callers 1 4 16] [--rounds 3] [--rivals NAME ...]

DIR holds images, or ``images/`` with the truth in ``gt.jsonl`` (a JSON line a file: ``file``, ``lines`` with
``text`` and ``box``). Every contender is warmed by two pages, reads every page for the first time (networks
meet shapes that they have not seen), and then once a round: the service with each number of callers in a
closed loop (several times over where callers are many), each rival page by page with all cores. Prints
tables and saves the figures in bench-results/bench.json, from which `make bench-plot` draws.
"""

import argparse
import json
import math
import os
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from accuracy import measure_accuracy
from breakdown import Breakdown, break_down, wait_for_counters
from load import Callers, count_cpu, sum_cpu_s
from pages import Pages, find_pages
from paths import FIXTURES, ROOT
from report import print_report
from rivals import PAGE_READERS, Rival, running_rival
from rounds import Round, compare_rates, summarize
from service import Service, find_free_port, running_service

RESULTS = ROOT / "bench-results" / "bench.json"
_IDLE_S = 10.0
# The concurrency at which rates are compared and time is broken down.
_COMPARED = 4
_NAME = f"service@{_COMPARED}"
_WARM_UP_PAGES = 2
# Pages for each caller of a round, so that its start and its end do not count for much.
_MIN_TURNS = 8


class Bench:
    """One run: who takes part, and what was measured so far."""

    def __init__(self, service: Service, metrics_url: str, rivals: list[Rival], pages: Pages) -> None:
        self._service = service
        self._metrics_url = metrics_url
        self._rivals = rivals
        self._pages = pages
        self._callers = Callers(service)
        self._rounds: dict[str, list[Round]] = defaultdict(list)
        self._first: dict[str, Round] = {}

    def warm_up(self) -> None:
        """Two pages for everybody."""
        for rival in self._rivals:
            rival.read_all(self._pages.paths[:_WARM_UP_PAGES])
        self._callers.read_all(self._pages.paths[:_WARM_UP_PAGES], 1)

    def measure_idle(self) -> float:
        """The part of a core that the service takes when nobody asks."""
        before = sum_cpu_s(self._service)
        time.sleep(_IDLE_S)
        return (sum_cpu_s(self._service) - before) / _IDLE_S

    def run(self, callers: list[int], rounds: int) -> None:
        """All rounds, everybody in turn, so that a busy minute of the machine hits everybody."""
        self._first[_NAME] = self._callers.read_all(self._pages.paths, _COMPARED)
        for rival in self._rivals:
            self._first[rival.name] = rival.read_all(self._pages.paths)
        for number in range(rounds):
            for count in callers:
                paths = self._pages.paths * math.ceil(_MIN_TURNS * count / len(self._pages.paths))
                self._note(f"service@{count}", self._callers.read_all(paths, count))
            for rival in self._rivals:
                self._note(rival.name, rival.read_all(self._pages.paths))
            print(f"round {number + 1} of {rounds} done", flush=True)

    def break_down(self) -> Breakdown:
        """Where the time of the service goes with four callers, over one more round."""
        before = wait_for_counters(self._metrics_url, self._callers.sent)
        cpu_before = count_cpu(self._service)
        self._callers.read_all(self._pages.paths, _COMPARED)
        cpu_after = count_cpu(self._service)
        after = wait_for_counters(self._metrics_url, self._callers.sent)
        return break_down(before, after, cpu_before, cpu_after)

    def results(self) -> dict[str, Any]:
        """All figures, as they are saved."""
        return {
            "refused": self._callers.refused,
            "figures": {name: asdict(summarize(rounds)) for name, rounds in self._rounds.items()},
            "accuracy": {
                who: asdict(measure_accuracy(self._pages.truth, texts))
                for who, texts in [
                    ("service", self._callers.texts),
                    *((rival.name, rival.texts) for rival in self._rivals),
                ]
                if self._pages.truth
            },
            "ratios": {
                rival.name: compare_rates(self._rounds[_NAME], self._rounds[rival.name])
                for rival in self._rivals
                if _NAME in self._rounds
            },
            "first_ms_per_page": {
                name: 1e3 * one.elapsed_s / len(one.page_s) for name, one in self._first.items()
            },
        }

    def _note(self, name: str, one: Round) -> None:
        self._rounds[name].append(one)


def main() -> None:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=Path, nargs="+", default=[FIXTURES])
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rivals", nargs="*", default=PAGE_READERS, choices=PAGE_READERS)
    parser.add_argument("--profile", default="cpu")
    args = parser.parse_args()
    pages, port = find_pages(args.images), find_free_port()
    with ExitStack() as stack:
        rivals = [stack.enter_context(running_rival(name)) for name in args.rivals]
        service = stack.enter_context(
            running_service("--profile", args.profile, environment={"OCR_METRICS_PORT": str(port)})
        )
        bench = Bench(service, f"http://127.0.0.1:{port}/metrics", rivals, pages)
        bench.warm_up()
        bench.run(args.callers, args.rounds)
        breakdown = bench.break_down()
        cores = os.cpu_count() or 1
        results = {
            "cores": cores,
            "pages": len(pages.paths),
            "rounds": args.rounds,
            "idle_cores": bench.measure_idle(),
            "breakdown_cpu_s_per_page": asdict(breakdown),
            "outside_networks": breakdown.outside_networks,
            **bench.results(),
        }
    if _NAME in results["figures"]:
        wall_s = results["figures"][_NAME]["ms_per_page"] / 1e3
        results["efficiency"] = breakdown.networks / (wall_s * cores)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1))
    print_report(results)


if __name__ == "__main__":
    main()

"""A hostile corpus against the real service, started as a user starts it.

    python tests/hostile/run.py [--seed 1] [--count 2000] [--threads 4] [--limit-s SECONDS]

Bombs and files of two kinds come first, then ``--count`` damaged files (see `hostile.corpus`), then broken
requests; every tenth request is a good page. Prints statuses and codes, the memory of each replica at its
highest beside its ceiling, and the slowest files. Exits with 1 for an answer that the API does not document,
a good page that is read otherwise than before, a replica that died or was above its ceiling. The figures go
to bench-results/hostile.json; SIGTERM ends the sending and shows what there is.
"""

import argparse
import itertools
import json
import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

from configs.profile import AppArgs, Profile, load_profile

from hostile.attack import Attack
from hostile.broken_requests import attacks
from hostile.corpus import HostileFile, bombs, damage
from hostile.watching import MemoryWatch
from paths import FIXTURES, ROOT
from service import Service, running_service

# What HAProxy answers itself, before the API sees the request.
_PROXY_STATUSES = {400, 408, 413, 414, 431, 501}


def make_files(seed: int, count: int) -> Iterator[Callable[[], HostileFile]]:
    """All files of the corpus, each made when it is sent."""
    for name, make in bombs().items():
        yield lambda name=name, make=make: HostileFile(name, make(), name)
    for file in damage(seed, count):
        yield lambda file=file: file


def send_broken_requests(service: Service, attack: Attack) -> None:
    """Send each broken request, and a good page after it."""
    good = (FIXTURES / "one_line.png").read_bytes()
    for number, (name, send) in enumerate(attacks(service.url, service.api_key, good)):
        start_s = time.monotonic()
        status = send()
        fault = None
        if status is not None and status >= 500 and status not in _PROXY_STATUSES:
            fault = f"status {status}"
        attack.findings.note(f"request: {name}", f"request {status}", time.monotonic() - start_s, fault)
        attack.send_good(number)


def find_ceilings(profile: Profile) -> dict[str, float]:
    """The ceiling of each deployment's replicas in MiB, the stagger of their watermarks not counted."""
    stages = {
        name.capitalize(): getattr(profile, name) for name in type(profile).model_fields if name != "limits"
    }
    ceilings = {
        name: float(stage.memory.max_private_mib)
        for name, stage in stages.items()
        if stage is not None and hasattr(stage, "memory") and stage.memory.max_private_mib is not None
    }
    return {**ceilings, "decoder": float(profile.renderer.process_memory_mib)}


def report(attack: Attack, watch: MemoryWatch, ceilings: dict[str, float], seconds: float) -> bool:
    """Print and keep the figures; whether all is as it must be."""
    findings = attack.findings
    faults = list(findings.faults)
    print(f"{findings.sent} hostile files and requests, {findings.good} good pages, {seconds:.0f} s")
    for answer, count in findings.answers.most_common():
        print(f"  {count:5}  {answer}")
    print("memory at its highest, MiB (ceiling)")
    for name, peak in sorted(watch.peak_mib.items()):
        replicas = len(watch.pids.get(name, ()))
        print(f"  {name:12} {peak:6.0f} ({ceilings.get(name, 0):.0f})  replicas {replicas}")
        if name in ceilings and peak > ceilings[name]:
            faults.append(f"{name} had {peak:.0f} MiB")
    print("slowest, s")
    for duration, name in findings.slowest:
        print(f"  {duration:6.1f}  {name}")
    for fault in faults:
        print("FAULT", fault)
    figures = {
        "files": findings.sent,
        "good": findings.good,
        "answers": dict(findings.answers),
        "peak_mib": watch.peak_mib,
        "ceilings_mib": ceilings,
        "replicas": {name: len(pids) for name, pids in watch.pids.items()},
        "slowest": findings.slowest,
        "faults": faults,
    }
    out = ROOT / "bench-results" / "hostile.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(figures, indent=1))
    return not faults


def main() -> int:
    """Exit status 0 when nothing was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--limit-s", type=float, default=math.inf, help="send no more files after this time")
    args = parser.parse_args()
    ceilings = find_ceilings(load_profile(AppArgs(profile="cpu"), 0.0))
    with (
        running_service("--profile", "cpu", start_timeout_s=600) as service,
        service.client(timeout_s=600) as client,
    ):
        watch = MemoryWatch(service.process)
        watch.look()
        replicas = {name: set(pids) for name, pids in watch.pids.items()}
        attack = Attack(client)
        start_s = time.monotonic()
        is_stopped = threading.Event()

        def stop(_number: int, _frame: object) -> None:
            is_stopped.set()
            report(attack, watch, ceilings, time.monotonic() - start_s)

        signal.signal(signal.SIGTERM, stop)

        def has_time(_file: object) -> bool:
            return not is_stopped.is_set() and time.monotonic() - start_s < args.limit_s

        with watch.watching():
            files = make_files(args.seed, args.count)
            attack.send_all(itertools.takewhile(has_time, files), args.threads)
            send_broken_requests(service, attack)
        seconds = time.monotonic() - start_s
        for name, pids in watch.pids.items():
            if pids != replicas.get(name, pids):
                attack.findings.faults.append(f"{name} was replaced on the way")
        return 0 if report(attack, watch, ceilings, seconds) else 1


if __name__ == "__main__":
    sys.exit(main())

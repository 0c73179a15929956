"""`ocr-serve bulk`: the files of a bucket or a folder, read by a pool of actors on a Ray cluster."""

import argparse
import json
import sys
import time
from dataclasses import asdict
from typing import Any

from serve_app.bulk.places import OWN_FOLDER, Place
from serve_app.cli_read import add_task_arguments, read_task
from serve_app.file_reading.report import EXIT_INTERRUPTED, EXIT_NOTHING_READ, EXIT_USAGE, FileReport, Totals

# What a report tells one by one; the markers have them all.
_MOST_FAULTS = 10_000


def add_bulk_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `bulk`."""
    bulk = commands.add_parser(
        "bulk",
        help="read a bucket or a folder on a Ray cluster (RAY_ADDRESS), or on this machine",
        description="Exit status: 0 all was read, 1 some was not, 2 wrong usage, 3 nothing could be read.",
    )
    bulk.add_argument("source", metavar="IN", help="s3://bucket/prefix, file:///folder or a folder")
    bulk.add_argument("out", metavar="OUT", help="where results go: the same")
    add_task_arguments(bulk)
    bulk.add_argument("--profile", default="auto", help="cpu, gpu-t4, auto or a YAML file (default: auto)")
    bulk.add_argument(
        "--engine", choices=["openvino", "onnxruntime", "paddle", "fake"], help="for all networks"
    )
    bulk.add_argument("--shard", type=int, default=100, metavar="N", help="files that are done together")
    bulk.add_argument("--retry-failed", action="store_true", help="read files again that had faults")


def run_bulk(args: argparse.Namespace) -> int:
    """Read the files; the exit status says what became of them."""
    start_s = time.monotonic()
    try:
        task = read_task(args)
        source, out = Place.parse(args.source), Place.parse(args.out)
        if source.holds(out) or out.holds(source):
            raise ValueError("Results may lie neither among the files nor above them.")
        if args.shard < 1:
            raise ValueError("--shard wants a number from 1.")
        source.open()
        store = out.open(is_new=True)
    except ValueError as error:
        print(f"ocr-serve bulk: {error}", file=sys.stderr)
        return EXIT_USAGE
    # Late: Ray takes seconds to import, which a wrong argument need not wait for.
    import ray

    from configs.profile import AppArgs, load_profile
    from serve_app.bulk.pipeline import BulkJob, run_bulk_job, start_ray
    from serve_app.bulk.shards import Markers

    app_args = AppArgs(profile=args.profile, engine=args.engine)
    totals = Markers(store, task.fingerprint()).count(tries_failed=args.retry_failed)
    faults: list[FileReport] = []
    stopped: str | None = None
    status = None
    try:
        start_ray()
        profile = load_profile(app_args, ray.cluster_resources().get("GPU", 0.0))  # type: ignore[no-untyped-call]
        job = BulkJob(source, out, task, profile, app_args, args.shard, args.retry_failed)
        for reports in run_bulk_job(job):
            _note(reports, totals, faults, start_s)
    except KeyboardInterrupt:
        stopped, status = "Interrupted.", EXIT_INTERRUPTED
    finally:
        ray.shutdown()
    _write_report(store, totals, faults, time.monotonic() - start_s, stopped)
    if stopped:
        print(f"Stopped: {stopped} The same command goes on.", file=sys.stderr)
    print(totals.describe(time.monotonic() - start_s))
    if not (totals.read or totals.kept or totals.failed):
        print("There is no document at IN.", file=sys.stderr)
        return EXIT_NOTHING_READ
    return totals.exit_status() if status is None else status


def _note(reports: list[FileReport], totals: Totals, faults: list[FileReport], start_s: float) -> None:
    for report in reports:
        totals.add(report)
        if not report.is_whole and len(faults) < _MOST_FAULTS:
            faults.append(report)
    rate = totals.pages / max(1e-9, time.monotonic() - start_s)
    files = totals.read + totals.kept + totals.failed
    print(f"{files} files, {totals.pages} pages, {rate:.1f} pages/s, {totals.failed} failed", file=sys.stderr)


def _write_report(
    store: Any, totals: Totals, faults: list[FileReport], elapsed_s: float, stopped: str | None
) -> None:
    import obstore

    report = {
        "totals": asdict(totals),
        "elapsed_s": round(elapsed_s, 1),
        "stopped": stopped,
        "faults": [asdict(one) for one in faults],
    }
    content = json.dumps(report, ensure_ascii=False, indent=1).encode()
    obstore.put(store, f"{OWN_FOLDER}/report.json", content)

"""The command `ocr-serve`: run the service on this machine, read files, look after models and keys."""

import argparse
import os
import sys
from collections.abc import Sequence

from serve_app.cli_bulk import add_bulk_parser, run_bulk
from serve_app.cli_keys import add_keys_parser, run_keys
from serve_app.cli_models import add_models_parser, run_models
from serve_app.cli_read import add_read_parser, run_read
from serve_app.cli_report import add_report_parser, run_report
from serve_app.cli_rollout import add_rollout_parsers, run_deploy, run_diff
from serve_app.file_reading.embedded import stop_with_caller
from serve_app.haproxy import local_proxy
from serve_app.smoke import add_smoke_parser, run_smoke


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(prog="ocr-serve", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start a local Ray cluster and the service; Ctrl-C stops both")
    run.add_argument(
        "--profile", default="auto", help="cpu, gpu-t4, gpu-onnx, auto or a YAML file (default: auto)"
    )
    run.add_argument(
        "--engine", choices=["openvino", "onnxruntime", "paddle", "fake"], help="for every network"
    )
    run.add_argument("--dashboard", action="store_true", help="with Ray's dashboard, on this machine alone")
    # For a service that another command has started for itself.
    run.add_argument("--with-caller", action="store_true", help=argparse.SUPPRESS)
    add_read_parser(commands)
    add_bulk_parser(commands)
    add_smoke_parser(commands)
    add_models_parser(commands)
    add_keys_parser(commands)
    add_rollout_parsers(commands)
    add_report_parser(commands)
    args = parser.parse_args(argv)
    others = {
        "models": run_models,
        "keys": run_keys,
        "read": run_read,
        "bulk": run_bulk,
        "smoke": run_smoke,
        "diff": run_diff,
        "deploy": run_deploy,
        "report": run_report,
    }
    if args.command in others:
        return others[args.command](args)
    with local_proxy() as variables:
        os.environ.update(variables)
        # Late: Ray reads its environment when it is imported, and the model commands must not wait for it.
        from serve_app.run import run_service

        if args.with_caller:
            stop_with_caller()
        return run_service(args.profile, args.engine, args.dashboard)


if __name__ == "__main__":
    sys.exit(main())

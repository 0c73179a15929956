"""The command `ocr-serve`: run the service on this machine, or look after its models and keys."""

import argparse
import os
import sys
from collections.abc import Sequence

from serve_app.cli_keys import add_keys_parser, run_keys
from serve_app.cli_models import add_models_parser, run_models
from serve_app.cli_report import add_report_parser, run_report
from serve_app.cli_rollout import add_rollout_parsers, run_deploy, run_diff
from serve_app.haproxy import local_proxy


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
    add_models_parser(commands)
    add_keys_parser(commands)
    add_rollout_parsers(commands)
    add_report_parser(commands)
    args = parser.parse_args(argv)
    if args.command == "models":
        return run_models(args)
    if args.command == "keys":
        return run_keys(args)
    if args.command == "report":
        return run_report(args)
    if args.command == "diff":
        return run_diff(args)
    if args.command == "deploy":
        return run_deploy(args)
    with local_proxy() as variables:
        os.environ.update(variables)
        # Late: Ray reads its environment when it is imported, and the model commands must not wait for it.
        from serve_app.run import run_service

        return run_service(args.profile, args.engine)


if __name__ == "__main__":
    sys.exit(main())

"""`ocr-serve read`: many files through a running service, or through one that is started for them."""

import argparse
import asyncio
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from serve_app.file_reading.embedded import embedded_service
from serve_app.file_reading.failures import ServerUnusable, StoreFailed
from serve_app.file_reading.progress import make_progress
from serve_app.file_reading.report import EXIT_INTERRUPTED, EXIT_NOTHING_READ, EXIT_USAGE, write_report
from serve_app.file_reading.sources import find_sources
from serve_app.file_reading.store import ResultStore
from serve_app.reading_task import ReadingTask, make_task

if TYPE_CHECKING:
    from serve_app.file_reading.run import FilesRun


def add_read_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `read`."""
    read = commands.add_parser(
        "read",
        help="read files and folders through a running service, or one that is started for them",
        description="Exit status: 0 all was read, 1 some was not, 2 wrong usage, 3 nothing could be read.",
    )
    read.add_argument("files", nargs="+", metavar="FILE|DIR|GLOB")
    read.add_argument("-o", "--out", required=True, type=Path, metavar="DIR", help="where results go")
    add_task_arguments(read)
    read.add_argument("--server", metavar="URL", help="a running service; without it one is started")
    read.add_argument("--api-key", default=os.environ.get("API_KEY", ""), help="default: $API_KEY")
    read.add_argument(
        "--concurrency", type=_positive, default=8, metavar="N", help="requests at a time, most"
    )
    read.add_argument(
        "--patience",
        type=float,
        default=300.0,
        metavar="SECONDS",
        help="how long a server that gives nothing new is waited for",
    )
    read.add_argument("--again", action="store_true", help="read what is done already, too")
    read.add_argument("--report", type=Path, metavar="FILE", help="write what became of each file, as JSON")
    read.add_argument("-q", "--quiet", action="store_true", help="show no progress")
    read.add_argument("--profile", default="auto", help="of the service that is started")
    read.add_argument("--engine", choices=["openvino", "onnxruntime", "paddle", "fake"], help="of it, too")


def add_task_arguments(parser: argparse.ArgumentParser) -> None:
    """What is to be done with each file, the same for `read` and `bulk`."""
    parser.add_argument(
        "--format", default="json", metavar="md,json,pdf,...", help="forms of the results, by commas"
    )
    parser.add_argument("--task", choices=["ocr", "structure", "extraction"], help="default: by the formats")
    parser.add_argument("--lang", help="language of the texts")
    parser.add_argument("--pages", help="such as 1-3,7")
    parser.add_argument("--document-type", help="for extraction: receipt, invoice, form, ...")
    parser.add_argument("--schema", type=Path, metavar="FILE", help="for extraction: a JSON Schema")
    parser.add_argument("--query", action="append", metavar="TEXT", help="for extraction; may be repeated")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other option of the API (docs/api.md); may be repeated",
    )


def read_task(args: argparse.Namespace) -> ReadingTask:
    """The task that the arguments describe. Raises `ValueError` with a text for the user."""
    fields: dict[str, str | list[str]] = {}
    for pair in args.option:
        name, sign, value = pair.partition("=")
        if not sign:
            raise ValueError(f"--option wants NAME=VALUE, not {pair!r}.")
        fields[name] = value
    given = {"lang": args.lang, "pages": args.pages, "document_type": args.document_type}
    fields.update({name: value for name, value in given.items() if value is not None})
    if args.schema is not None:
        try:
            fields["schema"] = args.schema.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise ValueError(f"The schema {str(args.schema)!r} cannot be read.") from None
    if args.query:
        fields["queries"] = args.query
    return make_task(args.task, args.format, fields)


def run_read(args: argparse.Namespace) -> int:
    """Read the files; the exit status says what became of them."""
    # Late: the other commands need not wait for what writes results.
    from serve_app.file_reading.run import FilesRun
    from serve_app.file_reading.server import ServerOptions

    try:
        task = read_task(args)
        sources = find_sources(args.files, args.out)
        store = ResultStore(args.out)
    except (ValueError, StoreFailed) as error:
        print(f"ocr-serve read: {error}", file=sys.stderr)
        return EXIT_USAGE
    progress = make_progress(args.quiet)
    run = FilesRun(sources, task, store, progress, reads_again=args.again)
    # Whoever ends this by SIGTERM gets a report as well, and no service is left behind.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            stack.callback(signal.signal, signal.SIGTERM, before)
            stack.callback(store.close)
            stack.callback(progress.close)
            url, key = args.server, args.api_key
            if url is None:
                progress.say("Starting a service for these files ...")
                url, key = stack.enter_context(embedded_service(args.profile, args.engine))
            asyncio.run(run.run(ServerOptions(url, key, args.concurrency, args.patience)))
    except ServerUnusable as error:
        run.stopped = str(error)
    except KeyboardInterrupt:
        run.stopped = "Interrupted."
        _finish(run, args.report)
        return EXIT_INTERRUPTED
    _finish(run, args.report)
    return EXIT_NOTHING_READ if run.stopped else run.totals.exit_status()


def _finish(run: "FilesRun", report: Path | None) -> None:
    if run.stopped:
        print(f"Stopped: {run.stopped} The same command goes on.", file=sys.stderr)
    print(run.totals.describe(run.elapsed_s))
    if report is not None:
        report.write_bytes(write_report(run.reports, run.totals, run.elapsed_s, run.stopped))


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("a number from 1")
    return value

"""`ocr-serve report`: a window of scrapes, or the result of a bench, as one HTML page with charts."""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from serve_app.report.bench_report import is_bench, report_bench
from serve_app.report.figures import Window
from serve_app.report.page import Report, render_page
from serve_app.report.scrapes import format_scrape, parse_scrape, parse_scrapes
from serve_app.report.service_report import report_service

_TIMEOUT_S = 30.0


def add_report_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `report`."""
    parser = commands.add_parser(
        "report", help="scrapes of /metrics, or a bench, as an HTML page with charts"
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "file", nargs="?", type=Path, help="scrapes that --save kept, or bench-results/bench.json"
    )
    source.add_argument("--url", help="scrape this address instead, such as http://127.0.0.1:8000/metrics")
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long (default: 60)")
    parser.add_argument("--every", type=float, default=5.0, help="how often, in seconds (default: 5)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the scrapes as well")
    parser.add_argument("-o", "--output", type=Path, default=Path("report.html"), help="default: %(default)s")


def run_report(args: argparse.Namespace) -> int:
    """Write the page; the exit status: 2 for a source that is no window and no bench."""
    try:
        if args.url is None:
            report = _read(args.file)
        else:
            text = _sample(args.url, args.seconds, args.every)
            if args.save:
                args.save.write_text(text, encoding="utf-8")
            report = report_service(Window(parse_scrapes(text)))
        args.output.write_text(render_page(report), encoding="utf-8")
    except OSError as error:
        print(f"{error.filename or args.url}: {error.strerror or error}", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"{args.url or args.file}: {error}", file=sys.stderr)
        return 2
    print(f"{args.output}: {report.title}, {report.under_title}")
    return 0


def _read(path: Path) -> Report:
    text = path.read_text(encoding="utf-8")
    if not text.lstrip().startswith("{"):
        return report_service(Window(parse_scrapes(text)))
    content = json.loads(text)
    if not is_bench(content):
        raise ValueError("this is JSON, but no result of `make bench`")
    return report_bench(content)


def _sample(url: str, seconds: float, every_s: float) -> str:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("the address must begin with http://")
    if not 0 < every_s <= seconds:
        raise ValueError("--every must be above 0 and no more than --seconds")
    start, pieces = time.monotonic(), []
    while True:
        text = _fetch(url)
        now_s = time.time()
        # A page of something else should be noticed now, not after the whole window.
        parse_scrape(now_s, text)
        pieces.append(format_scrape(now_s, text))
        elapsed_s = time.monotonic() - start
        if elapsed_s >= seconds:
            return "".join(pieces)
        time.sleep(max(0.0, min(len(pieces) * every_s, seconds) - elapsed_s))


def _fetch(url: str) -> str:
    # The key comes from the environment: arguments show in lists of processes.
    key = os.environ.get("API_KEY")
    headers = {"Accept": "text/plain", **({"x-api-key": key} if key else {})}
    try:
        # The scheme is checked by the caller.
        with urlopen(Request(url, headers=headers), timeout=_TIMEOUT_S) as answer:  # nosec B310
            return str(answer.read().decode("utf-8"))
    except HTTPError as error:
        hint = "; it wants a key with the scope `metrics` in API_KEY" if error.code in (401, 403) else ""
        raise ValueError(f"the answer is {error.code}{hint}") from None
    except URLError as error:
        raise ValueError(f"this cannot be reached: {error.reason}") from None

"""PDF files through the service, with their text layer and without.

    python tests/bench/pdfs.py --eval DIR [--sets pdf_digital pdf_scanned_sim]

DIR holds folders ``<set>/pdfs/*.pdf`` and ``<set>/images/`` with ``<set>/gt.jsonl``: a line a page, whose
``file`` ends in ``<pdf>_p<number>.<kind>`` and whose ``text`` is the page's. Prints for each file the pages
that came, the F1 over the bag of words of the pages that have a truth, and milliseconds a page, for each way
of treating the layer; then the images of the same pages. Exits with 1 when a page is missing.
"""

import argparse
import json
import re
import sys
import time
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from service import running_service

_MODES = ("ignore", "auto", "prefer")
_PAGE_NAME = re.compile(r"(?P<pdf>.+)_p(?P<number>\d+)$")

Truth = dict[tuple[str, int], str]


def read_truth(folder: Path) -> Truth:
    """Text by the stem of the PDF and the number of the page."""
    truth = {}
    for row in (folder / "gt.jsonl").read_text(encoding="utf-8").splitlines():
        page: dict[str, Any] = json.loads(row)
        name = _PAGE_NAME.match(Path(page["file"]).stem)
        if name:
            truth[name["pdf"], int(name["number"])] = page["text"]
    return truth


def measure_words(right: str, ours: str) -> tuple[int, int]:
    """Words that both have, and words of both."""
    bags = [Counter(unicodedata.normalize("NFKC", text).casefold().split()) for text in (right, ours)]
    return (bags[0] & bags[1]).total(), bags[0].total() + bags[1].total()


def read_file(client: httpx.Client, path: Path, mode: str) -> tuple[dict[str, Any], float]:
    """The answer for a file, and milliseconds a page."""
    start = time.perf_counter()
    answer = client.post("/ocr", files={"file": path.read_bytes()}, data={"text_layer": mode})
    elapsed_ms = (time.perf_counter() - start) * 1e3
    answer.raise_for_status()
    result: dict[str, Any] = answer.json()
    return result, elapsed_ms / max(1, len(result["pages"]))


def compare_modes(client: httpx.Client, path: Path, truth: Truth) -> bool:
    """Print a row for a PDF; whether all of its pages came."""
    cells, complete = [], True
    for mode in _MODES:
        result, ms = read_file(client, path, mode)
        complete &= result["pages_total"] == result["pages_processed"] == len(result["pages"])
        counts = [
            measure_words(truth[path.stem, page["number"]], page["text"])
            for page in result["pages"]
            if (path.stem, page["number"]) in truth
        ]
        shared, words = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0)
        score = f"{2 * shared / words:.4f}" if words else "-"
        stated = sum("source" in line for page in result["pages"] for line in page["lines"])
        cells.append(f"{score:>6} {ms:6.0f} {stated:5}")
    print(
        f"{path.name[:36]:36} {result['pages_processed']:3}/{result['pages_total']:<3}  {'   '.join(cells)}"
    )
    return complete


def measure_images(client: httpx.Client, folder: Path, truth: Truth) -> None:
    """Print what the pictures of the pages give."""
    both = both_sides = 0
    for path in sorted((folder / "images").iterdir()):
        name = _PAGE_NAME.match(path.stem)
        if name and (name["pdf"], int(name["number"])) in truth:
            result, _ = read_file(client, path, "ignore")
            shared, words = measure_words(truth[name["pdf"], int(name["number"])], result["text"])
            both, both_sides = both + shared, both_sides + words
    print(f"{'images of the pages':36} {'':7}  {2 * both / max(1, both_sides):.4f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--eval", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=["pdf_digital", "pdf_scanned_sim"])
    args = parser.parse_args()
    complete = True
    with running_service("--profile", "cpu") as service, service.client() as client:
        for name in args.sets:
            truth = read_truth(args.eval / name)
            titles = "   ".join(f"{mode:>6} {'ms':>6} {'lines':>5}" for mode in _MODES)
            print(f"\n{name:36} {'pages':7}  {titles}")
            for path in sorted((args.eval / name / "pdfs").glob("*.pdf")):
                complete &= compare_modes(client, path, truth)
            measure_images(client, args.eval / name, truth)
    sys.exit(0 if complete else 1)


if __name__ == "__main__":
    main()

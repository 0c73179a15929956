"""The service's text beside PaddleOCR's own, with the same weights and the same limits.

    python tests/bench/parity.py --eval DIR [--sets funsd sroie pdf_digital]

DIR holds folders ``<set>/images/`` with ``<set>/gt.jsonl`` (a JSON line a file: ``file``, ``lines`` with
``text`` and ``box``). Prints both accuracies and their differences; exits with 1 when a difference exceeds
what is allowed (boc_f1 0.003, ned_sorted 0.005).
"""

import argparse
import sys
from pathlib import Path

import httpx

from accuracy import Accuracy, PlacedText, measure_accuracy, read_truth
from rivals import running_rival
from service import running_service

# What PaddleOCR's pipeline does when it is told nothing: no turning, pages looked at in full size.
_AS_PADDLEOCR = {
    "orientation": "false",
    "direction": "off",
    "det_limit_type": "min",
    "det_limit_side_len": "64",
}
_ALLOWED = {"boc_f1": 0.003, "ned_sorted": 0.005}


def read_with_service(client: httpx.Client, images: Path) -> dict[str, list[PlacedText]]:
    """Every image of a folder through `/ocr`."""
    pages = {}
    for path in sorted(images.iterdir()):
        answer = client.post("/ocr", files={"file": (path.name, path.read_bytes())}, data=_AS_PADDLEOCR)
        answer.raise_for_status()
        pages[path.name] = [
            PlacedText(line["text"], line["quad"])
            for page in answer.json()["pages"]
            for line in page["lines"]
        ]
    return pages


def read_with_paddleocr(images: Path) -> dict[str, list[PlacedText]]:
    """Every image of a folder through PaddleOCR's pipeline, in a process of its own."""
    with running_rival("paddleocr") as rival:
        rival.read_all(sorted(images.iterdir()))
    return {Path(path).name: lines for path, lines in rival.texts.items()}


def compare(name: str, ours: Accuracy, theirs: Accuracy) -> bool:
    """Print one row; whether the differences are allowed."""
    differences = {key: getattr(ours, key) - getattr(theirs, key) for key in _ALLOWED}
    within = all(abs(difference) <= _ALLOWED[key] for key, difference in differences.items())
    print(
        f"{name:14} {ours.pages:5}  {ours.boc_f1:.4f} {theirs.boc_f1:.4f} {differences['boc_f1']:+.4f}   "
        f"{ours.ned_sorted:.4f} {theirs.ned_sorted:.4f} {differences['ned_sorted']:+.4f}   "
        f"{'within' if within else 'BEYOND'}"
    )
    return within


def main() -> int:
    """Exit status 0 when every set is within what is allowed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--eval", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=["funsd", "sroie", "pdf_digital"])
    args = parser.parse_args()
    print("service, PaddleOCR and their difference: boc_f1, then ned_sorted")
    within = []
    with running_service("--profile", "cpu") as service, service.client() as client:
        ours = {name: read_with_service(client, args.eval / name / "images") for name in args.sets}
    for name in args.sets:
        truth = read_truth(args.eval / name)
        theirs = measure_accuracy(truth, read_with_paddleocr(args.eval / name / "images"))
        within.append(compare(name, measure_accuracy(truth, ours[name]), theirs))
    return 0 if all(within) else 1


if __name__ == "__main__":
    sys.exit(main())

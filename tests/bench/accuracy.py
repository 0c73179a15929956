"""How well a page's text agrees with the truth, in two figures that OCR evaluations commonly use.

Texts are compared after Unicode NFKC, case folding and collapsing of white space.
"""

import json
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from rapidfuzz.distance import Levenshtein


@dataclass(frozen=True)
class PlacedText:
    """A line of text and its box, a list of [x, y] corners."""

    text: str
    box: Sequence[Sequence[float]]


@dataclass(frozen=True)
class Accuracy:
    """``boc_f1``: F1 over the bag of characters of all pages, white space dropped. ``ned_sorted``: mean over
    pages of 1 - normalised edit distance, both sides put in order of rows.
    """

    pages: int
    boc_f1: float
    ned_sorted: float


def read_truth(folder: Path) -> dict[str, list[PlacedText]]:
    """Lines by file name from ``folder/gt.jsonl``; lines marked ``ignore`` are left out."""
    truth = {}
    for row in (folder / "gt.jsonl").read_text(encoding="utf-8").splitlines():
        page: dict[str, Any] = json.loads(row)
        lines = [PlacedText(line["text"], line["box"]) for line in page["lines"] if not line.get("ignore")]
        truth[Path(page["file"]).name] = lines
    return truth


def measure_accuracy(
    truth: Mapping[str, Sequence[PlacedText]], read: Mapping[str, Sequence[PlacedText]]
) -> Accuracy:
    """Agreement over the files of ``truth``; a file that was not read counts as read empty."""
    shared = found = expected = 0
    distances = []
    for name, lines in truth.items():
        right, ours = _join(lines), _join(read.get(name, ()))
        right_bag, our_bag = _count(right), _count(ours)
        shared += (right_bag & our_bag).total()
        expected += right_bag.total()
        found += our_bag.total()
        distances.append(1 - Levenshtein.normalized_distance(right, ours))
    f1 = 2 * shared / (found + expected) if found + expected else 0.0
    return Accuracy(len(truth), f1, mean(distances) if distances else 0.0)


def _join(lines: Sequence[PlacedText]) -> str:
    """All text of a page: rows from top to bottom, each from left to right, normalised."""
    rows: list[tuple[float, float, list[tuple[float, str]]]] = []
    placed = []
    for line in lines:
        xs, ys = [point[0] for point in line.box], [point[1] for point in line.box]
        placed.append(((min(ys) + max(ys)) / 2, min(xs), max(ys) - min(ys), line.text))
    for middle, left, height, text in sorted(placed):
        if rows and middle - rows[-1][0] < 0.5 * max(height, rows[-1][1], 1):
            rows[-1][2].append((left, text))
        else:
            rows.append((middle, height, [(left, text)]))
    return _normalize("\n".join(text for _, _, row in rows for _, text in sorted(row)))


def _normalize(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _count(text: str) -> Counter[str]:
    return Counter(character for character in text if not character.isspace())

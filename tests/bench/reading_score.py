"""How well the order in which blocks are read agrees with the truth.

As OmniDocBench defines it (Ouyang et al., 2024): blocks of the truth that were found are put in the order in
which they were read, and compared with the order of the truth: edit distance of the two sequences, divided by
the length of the longer one. OmniDocBench finds a block by its text, since it is given Markdown; here a block
is found where its lines lie, or, where it has none, where its box does.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import Levenshtein

# A line, or a block without lines, belongs to the block of the truth that covers this share of it.
_COVERED = 0.5
_UNREAD = ("table", "figure", "equation_isolated", "formula")

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class TrueBlock:
    """A block of the truth, in its place in the reading order."""

    label: str
    box: Box
    text: str


@dataclass(frozen=True)
class OrderScore:
    """Distances of one page, 0 to 1, less is better; None for a page that has no text outside tables."""

    blocks: int
    found: int
    order_distance: float
    text_distance: float | None


def read_true_blocks(row: Mapping[str, Any]) -> list[TrueBlock]:
    """The blocks of one row of a ground truth that have a place in the order."""
    ordered = sorted((r for r in row["regions"] if r.get("order") is not None), key=lambda r: r["order"])
    return [TrueBlock(r["label"], bound(r["box"]), r.get("text") or "") for r in ordered]


def bound(corners: Sequence[Sequence[float]]) -> Box:
    """The upright box around corners."""
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def score_page(truth: Sequence[TrueBlock], page: Mapping[str, Any]) -> OrderScore:
    """The score of one page of a `/structure` answer."""
    pieces = list(_list_pieces(page))
    owners = [_find_owner(box, truth) for box, _ in pieces]
    read = list(dict.fromkeys(owner for owner in owners if owner is not None))
    order = Levenshtein.distance(read, list(range(len(truth)))) / max(len(truth), 1)
    textual = {number for number, block in enumerate(truth) if block.text and block.label not in _UNREAD}
    right = _normalize("".join(truth[number].text for number in sorted(textual)))
    ours = _normalize(
        "".join(text for (_, text), owner in zip(pieces, owners, strict=True) if owner in textual)
    )
    text = Levenshtein.normalized_distance(ours, right) if textual else None
    return OrderScore(len(truth), len(read), order, text)


def _list_pieces(page: Mapping[str, Any]) -> list[tuple[Box, str]]:
    """Boxes and texts of the page's lines in the order of its blocks; a block without lines is one piece."""
    pieces: list[tuple[Box, str]] = []
    for block in page["blocks"]:
        lines = [page["lines"][index] for index in block["lines"]]
        if block["kind"] == "figure" or not lines:
            pieces.append((tuple(block["box"]), ""))
        pieces += [(bound(line["quad"]), line["text"]) for line in lines]
    return pieces


def _find_owner(box: Box, truth: Sequence[TrueBlock]) -> int | None:
    """The smallest block of the truth that covers most of a box."""
    area = max((box[2] - box[0]) * (box[3] - box[1]), 1.0)
    owners = [n for n, block in enumerate(truth) if _share(box, block.box) >= _COVERED * area]
    return min(owners, key=lambda n: _share(truth[n].box, truth[n].box)) if owners else None


def _share(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def _normalize(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())

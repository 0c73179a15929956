"""Scores of extracted fields: as the sets' own scorers count, of links on forms, and of confidence."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """Whether one value was right, of what kind it is, and how sure the service was."""

    kind: str
    right: bool
    confidence: float
    weight: float = 1.0


def fold(text: object) -> str:
    """Letters and digits only, in one case: what the loose score of receipts compares."""
    plain = unicodedata.normalize("NFKC", str(text if text is not None else "")).upper()
    return re.sub(r"[\W_]+", "", plain)


def fold_field(name: str, text: object) -> str:
    """A field folded; prices are compared as numbers with two decimals."""
    if name != "total":
        return fold(text)
    number = re.sub(r"[^0-9.,-]", "", str(text if text is not None else ""))
    number = re.sub(r",(?=\d{3}(\D|$))", "", number).replace(",", ".")
    try:
        return fold(f"{float(number):.2f}")
    except ValueError:
        return fold(number)


@dataclass
class FieldCount:
    """Right values, values given and values in the truth."""

    right: int = 0
    given: int = 0
    true: int = 0

    def add(self, right: bool, given: bool) -> None:
        """Count one field of one document."""
        self.true += 1
        self.given += given
        self.right += right

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.right / (self.given + self.true) if self.given + self.true else 0.0


def true_links(row: Mapping[str, Any]) -> Counter[tuple[str, str]]:
    """The pairs of question and answer of a form, by their folded texts."""
    entities = {entity["id"]: entity for entity in row["entities"]}
    pairs: Counter[tuple[str, str]] = Counter()
    for first, second in {tuple(sorted(link)) for link in row["links"]}:
        for one, other in ((first, second), (second, first)):
            if entities[one]["label"] == "question" and entities[other]["label"] == "answer":
                pairs[fold(entities[one]["text"]), fold(entities[other]["text"])] += 1
    return pairs


def measure_overlap(first: Sequence[float], second: Sequence[float]) -> float:
    """Intersection over union of two boxes: left, top, right, bottom."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return width * height / (sum(areas) - width * height)


def make_reliability(
    verdicts: Iterable[Verdict], bins: int = 5
) -> list[tuple[float, float, int, float, float]]:
    """Rows of (from, to, values, mean confidence, share that was right) over equal parts of 0 to 1."""
    rows = []
    held = list(verdicts)
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        inside = [one for one in held if low <= one.confidence < high or (high == 1 and one.confidence == 1)]
        if inside:
            mean = sum(one.confidence for one in inside) / len(inside)
            share = sum(one.right for one in inside) / len(inside)
            rows.append((low, high, len(inside), mean, share))
    return rows


def fit_calibration(verdicts: Sequence[Verdict], parts: int = 5) -> list[tuple[float, float]]:
    """Points (score, share that was right) that never fall: bins of equal weight, pooled where they would.

    A bin counts half a right and half a wrong value more than it has, so that few values are not certain.
    """
    ordered = sorted(verdicts, key=lambda one: one.confidence)
    if not ordered:
        return []
    total = sum(one.weight for one in ordered)
    bins: list[list[Verdict]] = [[]]
    for one in ordered:
        if sum(each.weight for each in bins[-1]) >= total / parts:
            bins.append([])
        bins[-1].append(one)
    pools: list[tuple[float, float, float]] = []
    for part in bins:
        weight = sum(one.weight for one in part)
        right = sum(one.weight for one in part if one.right)
        score = sum(one.confidence * one.weight for one in part)
        pools.append((score, right, weight))
        while len(pools) > 1 and pools[-2][1] / pools[-2][2] >= pools[-1][1] / pools[-1][2]:
            last, before = pools.pop(), pools.pop()
            pools.append((before[0] + last[0], before[1] + last[1], before[2] + last[2]))
    points = [
        (round(score / weight, 3), round((right + 0.5) / (weight + 1), 3)) for score, right, weight in pools
    ]
    return [point for place, point in enumerate(points) if not place or point[1] > points[place - 1][1]]

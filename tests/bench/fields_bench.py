"""Fields that are extracted without a network, beside the truth: receipts, forms, and rendered papers.

    python tests/bench/fields_bench.py --eval DIR [--calibration] [--per-file]

DIR holds ``sroie`` and ``funsd``, each with ``images/`` and ``gt.jsonl``: ``fields`` of receipts, and
``entities`` and ``links`` of forms. Images are read by the service's own models in this process. Receipts
and invoices of the repository's generator are rendered anew: those in English are read, of those in Korean
the lines of the truth are taken, since no recogniser of Korean is packaged. ``--calibration`` prints the
tables for `configs/extraction/common.yaml`, fitted to the scores before calibration.
"""

import argparse
import asyncio
import dataclasses
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import cv2
import numpy as np

from configs.rulebook import RuleBook
from deployments.document import Line, Page
from deployments.extraction.extractor import extract_fields
from deployments.extraction.fields import ExtractedFields, FieldValue

from fields_score import (
    FieldCount,
    Verdict,
    fit_calibration,
    fold,
    fold_field,
    make_reliability,
    measure_overlap,
    true_links,
)
from paths import ROOT
from table_bench import TableReader

_GENERATOR = ROOT / "tests" / "fixtures" / "papers.py"
# What was read from real documents says more of others than rendered ones do.
_REAL_WEIGHT = 3.0
_SEED, _SPOILT_COPIES = 11, 3
_MISSED, _MISREAD, _CONFUSED = 0.06, 0.02, "0O1lI58BSZ2.,-eoc가"


class PageReader(TableReader):
    """The service's models, for whole pages."""

    def read_page(self, path: Path) -> Page:
        """The lines of an image."""
        pixels = cv2.imread(str(path))
        lines = asyncio.run(self._read_lines(pixels))
        return Page(1, pixels.shape[1], pixels.shape[0], 0, tuple(lines))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The truth, a JSON object a line."""
    return [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()]


def score_receipts(
    folder: Path, reader: PageReader, rules: RuleBook, kinds: dict[str, str], show: bool
) -> list[Verdict]:
    """Print F1 of each field, as the loose score counts, and give the verdicts."""
    counts: dict[str, FieldCount] = defaultdict(FieldCount)
    verdicts, elapsed_ms = [], []
    for row in read_rows(folder / "gt.jsonl"):
        page = reader.read_page(folder / row["file"])
        start = time.perf_counter()
        found = extract_fields([page], "receipt", rules)
        elapsed_ms.append((time.perf_counter() - start) * 1e3)
        for name, truth in row["fields"].items():
            field = found.fields[name]
            given = field.value if name == "total" else field.text
            right = fold_field(name, truth) == fold_field(name, given)
            counts[name].add(right, given is not None)
            if given is not None:
                verdicts.append(Verdict(kinds[name], right, field.confidence, _REAL_WEIGHT))
            if show and not right:
                print(f"  {row['file']}: {name}: {truth!r}, found {given!r} ({field.confidence:.2f})")
    everything = FieldCount(
        *(sum(getattr(one, key) for one in counts.values()) for key in ("right", "given", "true"))
    )
    each = "  ".join(f"{name} {count.f1:.3f}" for name, count in counts.items())
    print(
        f"receipts: field_f1_loose {everything.f1:.4f}  {each}  extraction {mean(elapsed_ms):.0f} ms a page"
    )
    return verdicts


def score_forms(folder: Path, reader: PageReader, rules: RuleBook) -> list[Verdict]:
    """Print precision, recall and F1 of pairs of question and answer, and give the verdicts."""
    count, verdicts = FieldCount(), []
    for row in read_rows(folder / "gt.jsonl"):
        found = extract_fields([reader.read_page(folder / row["file"])], "form", rules)
        truth = true_links(row)
        count.true += sum(truth.values())
        left = Counter(truth)
        for name, field in found.fields.items():
            pair = fold(name.partition(" (")[0] if name.endswith(")") else name), fold(field.text)
            right = left[pair] > 0
            left[pair] -= right
            count.given += 1
            count.right += right
            verdicts.append(Verdict("pair", right, field.confidence, _REAL_WEIGHT))
    print(
        f"forms: links by text: precision {count.right / max(count.given, 1):.3f}  "
        f"recall {count.right / max(count.true, 1):.3f}  F1 {count.f1:.3f}"
    )
    return verdicts


def render_papers(out: Path, count: int, seed: int) -> list[dict[str, Any]]:
    """The rows of freshly rendered papers."""
    command = [sys.executable, str(_GENERATOR), "--out", str(out), "--count", str(count), "--seed", str(seed)]
    subprocess.run(command, check=True)
    return read_rows(out / "papers.jsonl")


def true_page(row: dict[str, Any]) -> Page:
    """The page of a paper as its truth has it."""
    lines = [
        Line(line["text"], 1.0, np.array(line["box"], np.float32), from_layer=True) for line in row["lines"]
    ]
    return Page(1, row["size"][0], row["size"][1], 0, tuple(lines))


def spoil_page(page: Page, lot: random.Random) -> Page:
    """The page as a poor recogniser reads it: letters taken for others, lines missed, and less sure."""
    lines = []
    for line in page.lines:
        if lot.random() < _MISSED:
            continue
        text = "".join(lot.choice(_CONFUSED) if lot.random() < _MISREAD else letter for letter in line.text)
        spoilt = text != line.text
        sure = lot.uniform(0.6, 0.95) if spoilt else lot.uniform(0.9, 1.0)
        lines.append(dataclasses.replace(line, text=text, confidence=sure))
    return dataclasses.replace(page, lines=tuple(lines))


def score_spoilt(rows: Sequence[dict[str, Any]], rules: RuleBook, kinds: dict[str, str]) -> list[Verdict]:
    """Print the share of exact values on spoilt papers, and give the verdicts."""
    lot = random.Random(_SEED)
    verdicts, rights = [], []
    for row in rows:
        for _ in range(_SPOILT_COPIES):
            page = spoil_page(true_page(row), lot)
            for name, right, field, _ in judge_paper(row, extract_fields([page], row["kind"], rules)):
                rights.append(right)
                if field.value is not None:
                    kind = "item" if name == "items" else kinds.get(name, "text")
                    verdicts.append(Verdict(kind, right, field.confidence))
    print(f"rendered and spoilt: exact {mean(rights):.4f} of {len(rights)} values")
    return verdicts


def judge_paper(
    row: dict[str, Any], found: ExtractedFields
) -> Iterator[tuple[str, bool, FieldValue, float | None]]:
    """Each field of a paper: name, whether its value is the true one, what was found, and its IoU."""
    for name, truth in row["fields"].items():
        yield judge_value(name, truth, found.fields[name])
    items = found.fields["items"].items
    for place, item in enumerate(row["items"]):
        for name, truth in item.items():
            field = items[place].get(name, FieldValue()) if place < len(items) else FieldValue()
            yield judge_value("items", truth, field)


def judge_value(
    name: str, truth: dict[str, Any], field: FieldValue
) -> tuple[str, bool, FieldValue, float | None]:
    """One field of a paper beside its truth."""
    overlap = None
    if truth["box"] and field.quads:
        corners = np.concatenate(field.quads)
        overlap = measure_overlap([*corners.min(0).tolist(), *corners.max(0).tolist()], truth["box"])
    return name, field.value == truth["value"], field, overlap


def score_papers(
    rows: Sequence[dict[str, Any]], folder: Path, reader: PageReader, rules: RuleBook, kinds: dict[str, str]
) -> list[Verdict]:
    """Print the share of exact values and the overlap, for each kind of paper, and give the verdicts."""
    counts: dict[str, list[bool]] = defaultdict(list)
    overlaps: dict[str, list[float]] = defaultdict(list)
    verdicts = []
    for row in rows:
        page = reader.read_page(folder / row["file"]) if row["lang"] == "en" else true_page(row)
        key = f"{row['kind']} {row['lang']}"
        for name, right, field, overlap in judge_paper(row, extract_fields([page], row["kind"], rules)):
            counts[key].append(right)
            if field.value is not None:
                kind = "item" if name == "items" else kinds.get(name, "text")
                verdicts.append(Verdict(kind, right, field.confidence))
            if overlap is not None and right:
                overlaps[key].append(overlap)
    for key, rights in counts.items():
        spread = sorted(overlaps[key])
        print(
            f"rendered {key}: exact {mean(rights):.4f} of {len(rights)} values  "
            f"IoU mean {mean(spread):.3f}, least {spread[0]:.3f}, "
            f"0.7 and more {mean(one >= 0.7 for one in spread):.3f}"
        )
    return verdicts


def main() -> None:
    """Print the scores and the reliability of confidence, or the tables of calibration."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--eval", type=Path, required=True)
    parser.add_argument("--calibration", action="store_true")
    parser.add_argument("--per-file", action="store_true")
    parser.add_argument("--count", type=int, default=12)
    args = parser.parse_args()
    rules = RuleBook.load()
    if args.calibration:
        rules = rules.model_copy(update={"common": rules.common.model_copy(update={"calibration": {}})})
    kinds = {name: rule.kind for kind in rules.types.values() for name, rule in kind.fields.items()}
    reader = PageReader(os.cpu_count() or 1)
    verdicts = score_receipts(args.eval / "sroie", reader, rules, kinds, args.per_file)
    verdicts += score_forms(args.eval / "funsd", reader, rules)
    with tempfile.TemporaryDirectory() as folder:
        # Another seed than the tests', and for calibration a third one.
        rows = render_papers(Path(folder), args.count, 77 if args.calibration else 78)
        verdicts += score_papers(rows, Path(folder), reader, rules, kinds)
        verdicts += score_spoilt(rows, rules, kinds)
    if args.calibration:
        print("calibration:")
        for kind in sorted({one.kind for one in verdicts}):
            points = fit_calibration([one for one in verdicts if one.kind == kind])
            print(f"  {kind}: {[list(point) for point in points]}")
        points = fit_calibration([one for one in verdicts if one.kind not in ("pair", "item")])
        print(f"  default: {[list(point) for point in points]}")
        return
    print("confidence, values, mean confidence, share that was right")
    for low, high, count, said, share in make_reliability(verdicts):
        print(f"{low:.1f} to {high:.1f}  {count:5}  {said:.3f}  {share:.3f}")


if __name__ == "__main__":
    main()

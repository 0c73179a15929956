"""Rendered English receipts and invoices, read by the packaged models, and their fields."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from configs.profile import AppArgs, load_profile
from configs.rulebook import RuleBook
from deployments.document import Line, Page
from deployments.extraction.extractor import extract_fields
from deployments.flow import build_line
from deployments.models.detection import DetectionRequest
from deployments.models.loader import load_detection, load_recognition
from deployments.models.recognition import RecognitionRequest
from deployments.vision.geometry import crop_lines
from deployments.vision.reading_order import order_lines

from paths import ROOT

pytestmark = pytest.mark.weights
_FONTS_MISSING_STATUS = 3


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[dict[str, Any], Page]]:
    """The truth of some papers, and their pages as they are read."""
    out = tmp_path_factory.mktemp("papers")
    script = ROOT / "tests" / "fixtures" / "papers.py"
    command = [sys.executable, str(script), "--out", str(out), "--count", "4", "--seed", "21"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    if done.returncode == _FONTS_MISSING_STATUS:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    profile = load_profile(AppArgs(profile="cpu"), 0)
    detection = load_detection(profile.detection).model
    recognition = load_recognition(profile.recognition).model

    def read(path: Path) -> Page:
        pixels = cv2.imread(str(path))
        (found,) = detection.detect([DetectionRequest(pixels)])
        crops = crop_lines(pixels, found.quads[order_lines(found.quads)])
        request = RecognitionRequest(
            tuple(crop.pixels for crop in crops), tuple(not crop.upright for crop in crops)
        )
        (texts,) = recognition.read([request])
        lines: list[Line] = [build_line(*pair) for pair in zip(crops, texts, strict=True) if pair[1].text]
        return Page(1, pixels.shape[1], pixels.shape[0], 0, tuple(lines))

    rows = map(json.loads, (out / "papers.jsonl").read_text(encoding="utf-8").splitlines())
    # No recogniser of Korean is packaged.
    return [(row, read(out / row["file"])) for row in rows if row["lang"] == "en"]


def test_what_is_read_gives_the_true_fields(papers: list[tuple[dict[str, Any], Page]]) -> None:
    """At least 95 of 100 values are exact, and their quads cover them."""
    rights: list[bool] = []
    rules = RuleBook.load()
    for row, page in papers:
        found = extract_fields([page], row["kind"], rules).fields
        for name, truth in row["fields"].items():
            rights.append(found[name].value == truth["value"])
            if rights[-1] and truth["box"]:
                corners = np.concatenate(found[name].quads)
                (left, top), (right, bottom) = corners.min(0), corners.max(0)
                x0, y0, x1, y1 = truth["box"]
                shared = max(0.0, min(right, x1) - max(left, x0)) * max(0.0, min(bottom, y1) - max(top, y0))
                union = (right - left) * (bottom - top) + (x1 - x0) * (y1 - y0) - shared
                assert shared / union >= 0.7, (row["file"], name)
        given = [{name: one.value for name, one in item.items()} for item in found["items"].items]
        true = [{name: one["value"] for name, one in item.items()} for item in row["items"]]
        rights += [
            place < len(given) and item.items() <= given[place].items() for place, item in enumerate(true)
        ]
    assert len(rights) > 60
    assert sum(rights) / len(rights) >= 0.95

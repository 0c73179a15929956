"""Scores of extracted fields."""

import sys

import pytest

from paths import ROOT

sys.path.insert(0, str(ROOT / "tests" / "bench"))

from fields_score import (
    FieldCount,
    Verdict,
    fit_calibration,
    fold_field,
    make_reliability,
    measure_overlap,
    true_links,
)


def test_fields_are_compared_loosely() -> None:
    """Case and punctuation do not count; prices are numbers."""
    assert fold_field("company", "A.B. Sdn Bhd") == fold_field("company", "ab SDN BHD")
    assert fold_field("total", "RM 1,007.5") == fold_field("total", 1007.50)
    assert fold_field("total", "7.10") != fold_field("total", "71.0")


def test_f1_counts_what_is_missing_and_what_is_wrong() -> None:
    """One right of two given, of four in the truth."""
    count = FieldCount()
    for right, given in ((True, True), (False, True), (False, False), (False, False)):
        count.add(right, given)
    assert count.f1 == pytest.approx(2 * 0.5 * 0.25 / 0.75)


def test_links_are_pairs_of_question_and_answer() -> None:
    """Whichever way they are stated; others do not count."""
    entities = [{"id": 0, "label": "question", "text": "Name:"}, {"id": 1, "label": "answer", "text": "Jo"}]
    entities.append({"id": 2, "label": "header", "text": "Form"})
    assert dict(true_links({"entities": entities, "links": [[0, 1], [1, 0], [2, 0]]})) == {("NAME", "JO"): 1}


def test_overlap() -> None:
    """Half of a box beside the other half."""
    assert measure_overlap((0, 0, 2, 1), (1, 0, 3, 1)) == pytest.approx(1 / 3)
    assert measure_overlap((0, 0, 1, 1), (2, 0, 3, 1)) == 0.0


def test_calibration_never_falls() -> None:
    """Where more score went with fewer right values, the bins are pooled."""
    verdicts = [
        Verdict("money", right, score)
        for score, right in zip([0.1, 0.3, 0.5, 0.7, 0.9] * 4, [0, 1, 0, 1, 1] * 4, strict=True)
    ]
    points = fit_calibration(verdicts)
    assert points == sorted(points)
    assert [share for _, share in points] == sorted(share for _, share in points)
    assert points[0][1] < 0.2 < 0.8 < points[-1][1]
    assert make_reliability(verdicts)[0][2:] == (4, pytest.approx(0.1), 0.0)

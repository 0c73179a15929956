"""Rendered receipts and invoices: the lines of the truth in, the fields of the truth out."""

from collections import defaultdict
from typing import Any

import numpy as np

from configs.rulebook import RuleBook
from deployments.document import Line, Page
from deployments.extraction.extractor import extract_fields


def read_page(row: dict[str, Any]) -> Page:
    """The page of a paper as its truth has it."""
    lines = (
        Line(line["text"], 0.99, np.array(line["box"], np.float32), from_layer=True) for line in row["lines"]
    )
    return Page(1, row["size"][0], row["size"][1], 0, tuple(lines))


def overlap(quads: tuple[np.ndarray, ...], box: list[float]) -> float:
    """Intersection over union of some quads' bounds and a box."""
    corners = np.concatenate(quads)
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    width, height = min(right, box[2]) - max(left, box[0]), min(bottom, box[3]) - max(top, box[1])
    shared = max(width, 0.0) * max(height, 0.0)
    return float(shared / ((right - left) * (bottom - top) + (box[2] - box[0]) * (box[3] - box[1]) - shared))


def test_values_are_exact(papers: list[dict[str, Any]], rules: RuleBook) -> None:
    """At least 95 of 100 of each kind and language, by value, with the items counted cell by cell."""
    rights: dict[str, list[bool]] = defaultdict(list)
    for row in papers:
        found = extract_fields([read_page(row)], row["kind"], rules).fields
        key = f"{row['kind']} {row['lang']}"
        rights[key] += [found[name].value == truth["value"] for name, truth in row["fields"].items()]
        given = [{name: one.value for name, one in item.items()} for item in found["items"].items]
        true = [{name: one["value"] for name, one in item.items()} for item in row["items"]]
        rights[key] += [
            place < len(given) and item.items() <= given[place].items() for place, item in enumerate(true)
        ]
    assert set(rights) == {"receipt en", "receipt ko", "invoice en", "invoice ko"}
    for key, each in rights.items():
        assert sum(each) / len(each) >= 0.95, key


def test_quads_cover_the_values(papers: list[dict[str, Any]], rules: RuleBook) -> None:
    """Also those that are a part of their line."""
    parts = 0
    for row in papers:
        found = extract_fields([read_page(row)], row["kind"], rules).fields
        for name, truth in row["fields"].items():
            if truth["box"] is None or found[name].value != truth["value"]:
                continue
            assert overlap(found[name].quads, truth["box"]) >= 0.7, (row["file"], name)
            parts += any(row["lines"][line]["text"] != found[name].text for line in found[name].line_ids)
    assert parts > 40


def test_no_field_is_invented(papers: list[dict[str, Any]], rules: RuleBook) -> None:
    """Fields that a paper does not have are empty."""
    for row in papers:
        for name, field in extract_fields([read_page(row)], row["kind"], rules).fields.items():
            if name != "items" and name not in row["fields"]:
                assert field.value is None, (row["file"], name, field.text)


def test_the_type_is_told(papers: list[dict[str, Any]], rules: RuleBook) -> None:
    """In both languages."""
    for row in papers:
        assert extract_fields([read_page(row)], "auto", rules).document_type == row["kind"], row["file"]

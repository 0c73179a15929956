"""Pages of the fixtures as a reader without faults would read them."""

import json

import numpy as np
import pytest

from deployments.document import Angle, Line, Page, Word
from deployments.models.ctc import _group_characters
from deployments.searchable.text import TextPage, TextRun, lay_out_page
from deployments.searchable.writer import open_writer
from deployments.vision.geometry import cut_quad

from paths import FIXTURES

MAX_PIXELS = 50_000_000


def read_truth(name: str) -> Page:
    """The lines and words of a page of the fixtures, upright; words share a line by their characters."""
    rows = map(json.loads, (FIXTURES / "ground_truth.jsonl").read_text(encoding="utf-8").splitlines())
    truth = next(row for row in rows if row["file"] == name)
    width, height = truth["size"]
    rotation = truth["rotation"]
    quads = [turn_quad(np.array(line["box"], np.float32), width, height, rotation) for line in truth["lines"]]
    if rotation in (90, 270):
        width, height = height, width
    lines = []
    for line, quad in zip(truth["lines"], quads, strict=True):
        text = line["text"]
        words = tuple(
            Word(text[start:end], 0.9, cut_quad(quad, start / len(text), end / len(text)))
            for start, end in _group_characters(text)
        )
        lines.append(Line(text, 0.9, quad, words))
    return Page(1, width, height, rotation, tuple(lines))


def turn_quad(quad: np.ndarray, width: int, height: int, rotation: Angle) -> np.ndarray:
    """Corners of a page of that size once it is turned clockwise."""
    x, y = quad[:, 0], quad[:, 1]
    turned = {
        0: (x, y),
        90: (height - y, x),
        180: (width - x, height - y),
        270: (y, width - x),
    }[rotation]
    return np.column_stack(turned).astype(np.float32)


def make_run(text: str, left: float, top: float, right: float, bottom: float) -> TextRun:
    """A level run of text."""
    return TextRun(text, np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32))


def write_pdf(data: bytes, *pages: TextPage | Page) -> bytes:
    """A file as a searchable PDF."""
    writer = open_writer(data, MAX_PIXELS)
    try:
        for page in pages:
            writer.add_page(lay_out_page(page) if isinstance(page, Page) else page)
        return writer.save()
    finally:
        writer.close()


@pytest.fixture(params=["letter.png", "invoice_ko.png", "notice_zh.png"])
def fixture_name(request: pytest.FixtureRequest) -> str:
    """An English, a Korean and a Chinese page."""
    return request.param

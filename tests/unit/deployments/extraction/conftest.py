"""Pages of text to find fields on, and rendered papers with known fields."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.rulebook import RuleBook
from deployments.document import Line, Page

from paths import ROOT

_FONTS_MISSING_STATUS = 3
_HEIGHT_PX, _LETTER_PX = 20, 10

PageMaker = Callable[..., Page]


def _width(text: str) -> float:
    return sum(2 if ord(character) > 0x1100 else 1 for character in text) * _LETTER_PX


@pytest.fixture(scope="session")
def rules() -> RuleBook:
    """The shipped rules."""
    return RuleBook.load()


@pytest.fixture
def make_page() -> PageMaker:
    """Make a page of rows, 30 pixels each; a row is a text, or texts each with its left edge."""

    def make(*rows: str | tuple[tuple[int, str], ...], confidence: float = 0.98) -> Page:
        lines = []
        for place, row in enumerate(rows):
            for left, text in ((50, row),) if isinstance(row, str) else row:
                top, right = 40 + 30 * place, left + _width(text)
                box = [[left, top], [right, top], [right, top + _HEIGHT_PX], [left, top + _HEIGHT_PX]]
                lines.append(Line(text, confidence, np.array(box, np.float32)))
        return Page(1, 700, max(900, 30 * len(rows) + 100), 0, tuple(line for line in lines if line.text))

    return make


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The truth of a dozen rendered papers of each kind and language."""
    out = tmp_path_factory.mktemp("papers")
    command = [sys.executable, str(ROOT / "tests" / "fixtures" / "papers.py"), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    if done.returncode == _FONTS_MISSING_STATUS:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    rows = (Path(out) / "papers.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(row) for row in rows]

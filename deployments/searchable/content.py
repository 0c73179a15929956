"""Text as the instructions of a PDF's page: invisible, each run exactly over its place."""

import math
from collections.abc import Iterable

import numpy as np
import pikepdf
from numpy.typing import NDArray
from pikepdf import Dictionary

from deployments.searchable.font import ADVANCE_EM, GlyphlessFont
from deployments.searchable.text import TextRun

# Three rows of three: from pixels of the upright page to points of the page's own system.
Transform = NDArray[np.float64]

_INVISIBLE = 3
_FONT_NAME = "OcrText"
# A PDF's numbers are fixed-point, and nothing so small can be selected.
_MIN_SIZE_PT = 0.01


def write_text(runs: Iterable[TextRun], transform: Transform, font: GlyphlessFont, font_name: str) -> bytes:
    """The instructions that write the runs; none for runs that fill no area."""
    shown = [_write_run(run, transform, font, font_name) for run in runs]
    body = "\n".join(filter(None, shown))
    return f"q BT {_INVISIBLE} Tr\n{body}\nET Q\n".encode() if body else b""


def _write_run(run: TextRun, transform: Transform, font: GlyphlessFont, font_name: str) -> str:
    corners = run.quad @ transform[:2, :2].T + transform[:2, 2]
    top_left, _, bottom_right, bottom_left = corners
    across, up = bottom_right - bottom_left, top_left - bottom_left
    width = float(np.hypot(*across))
    size = abs(float(across[0] * up[1] - across[1] * up[0])) / width if width else 0.0
    if not run.text or width < _MIN_SIZE_PT or size < _MIN_SIZE_PT:
        return ""
    # Stretched until the characters, all as wide as half their height, fill the width.
    stretch = 100 * width / (len(run.text) * ADVANCE_EM * size)
    angle = math.atan2(across[1], across[0])
    matrix = (math.cos(angle), math.sin(angle), -math.sin(angle), math.cos(angle), *bottom_left.tolist())
    numbers = " ".join(map(_number, matrix))
    text = font.encode(run.text)
    return f"/{font_name} {_number(size)} Tf {_number(stretch)} Tz {numbers} Tm {text} Tj"


def add_font(page: pikepdf.Page, font: GlyphlessFont) -> str:
    """Let a page know the font, under a name that it does not use; other pages keep their resources."""
    # What a page inherits it has as its own since the file was opened.
    resources = _copy_entries(page.obj.get("/Resources"))
    fonts = _copy_entries(resources.get("/Font"))
    name, count = _FONT_NAME, 1
    while f"/{name}" in fonts:
        name, count = f"{_FONT_NAME}{count}", count + 1
    fonts[f"/{name}"] = font.reference
    resources.Font = fonts
    page.obj.Resources = resources
    return name


def _copy_entries(entries: pikepdf.Object | None) -> Dictionary:
    """A dictionary of the same entries; an empty one where there is none."""
    return Dictionary(dict(entries.items()) if isinstance(entries, Dictionary) else {})


def _number(value: float) -> str:
    text = f"{value:.5f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text

"""Regions of formulas, and the prose between them that the layout network takes for one more."""

import re
from collections.abc import Sequence

from deployments.blocks import Box
from deployments.structure.paragraphs import group_rows
from deployments.structure.regions import surround

# Formulas stand apart when the gap between them is larger than this, in heights of a line.
_FORMULA_GAP = 0.5
_LONG_WORD = re.compile(r"[^\W\d_]{2,}")
_MIN_PROSE_WORDS = 3


def divide_formulas(boxes: Sequence[Box], texts: Sequence[str]) -> list[tuple[bool, list[int]]]:
    """Parts of a region of formulas: whether each is prose between them, and its lines."""
    rows = group_rows(boxes)
    parts: list[tuple[bool, list[int]]] = []
    for number, row in enumerate(rows):
        prose = _is_prose(" ".join(texts[index] for index in row))
        if number and parts[-1][0] == prose:
            above, below = (surround([boxes[index] for index in rows[n]]) for n in (number - 1, number))
            if below[1] - above[3] < _FORMULA_GAP * min(above[3] - above[1], below[3] - below[1]):
                parts[-1][1].extend(row)
                continue
        parts.append((prose, list(row)))
    return parts


def _is_prose(text: str) -> bool:
    words = _LONG_WORD.findall(text)
    return len(words) >= _MIN_PROSE_WORDS and sum(map(len, words)) > 0.5 * len(text)

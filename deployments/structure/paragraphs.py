"""The paragraphs of a text region, from where its lines begin and end; and their running text."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from deployments.blocks import Box
from deployments.structure.joining import join_lines
from deployments.structure.lists import counts_on, read_markers
from deployments.structure.regions import surround

# A line further below the one before than the usual distance, by this factor, begins a paragraph; of two
# lines alone, one this many heights below.
_WIDE_PITCH = 1.35
_WIDE_PITCH_OF_TWO = 2.2
# A first line is indented by so many heights of a line, at least and at most.
_MIN_INDENT, _MAX_INDENT = 0.7, 6.0
# Lines begin or end at one edge when they are this near to it, in heights of a line.
_AT_EDGE = 0.5
# Lines are justified when this share of them, and so many, end at one edge. Then a line that ends so far
# before it, in heights of a line, is the last one of its paragraph.
_JUSTIFIED, _MIN_JUSTIFIED = 0.6, 3
_SHORT = 2.0
# Where this share of rows are several texts beside each other, each row stays a line.
_TABULAR = 0.5
# Lines fill their column when this share of them ends within this of its edge, in heights of a line: a letter
# that has no room there begins the next line.
_FILLED, _FULL = 0.8, 1.1
_TERMINAL = re.compile(r"[.!?。！？…:;：；)\]»”’\"'」』]\s*$|다\.?\s*$")
_ARTICLE = re.compile(r"\s*제\s?\d+\s?[조항장절관편]")


def divide_paragraphs(boxes: Sequence[Box], texts: Sequence[str]) -> list[list[int]]:
    """Indices of the lines of each paragraph; lines are in reading order."""
    rows = group_rows(boxes)
    if len(rows) < 2:
        return [list(range(len(boxes)))]
    outer = [surround([boxes[index] for index in row]) for row in rows]
    row_texts = [" ".join(texts[index] for index in row) for row in rows]
    breaks = _find_breaks(outer, row_texts)
    groups: list[list[int]] = []
    for number, row in enumerate(rows):
        if not number or number in breaks:
            groups.append([])
        groups[-1] += row
    return groups


def write_paragraph(
    texts: Sequence[str],
    boxes: Sequence[Box],
    words: frozenset[str] = frozenset(),
    is_full: bool | None = None,
) -> str:
    """The lines of a paragraph as running text; rows of labels and values stay below each other.

    ``is_full`` says that the lines of its column fill it (see `fill_column`), which the paragraph's own lines
    tell where nothing else is known.
    """
    rows = group_rows(boxes)
    if len(rows) > 1 and sum(len(row) > 1 for row in rows) >= _TABULAR * len(rows):
        return "\n".join(" ".join(texts[index] for index in row) for row in rows)
    return join_lines(texts, words, fill_column([boxes]) if is_full is None else is_full)


def fill_column(paragraphs: Sequence[Sequence[Box]]) -> bool:
    """Whether all lines but the last of each paragraph end at one edge: such a one may end inside a word."""
    rows = [[surround([boxes[index] for index in row]) for row in group_rows(boxes)] for boxes in paragraphs]
    inner = [row for paragraph in rows for row in paragraph[:-1]]
    if len(inner) < _MIN_JUSTIFIED - 1:
        return False
    height = float(np.median([bottom - top for _, top, _, bottom in inner]))
    edge = max(right for paragraph in rows for _, _, right, _ in paragraph)
    at_edge = sum(right > edge - _FULL * height for _, _, right, _ in inner)
    return at_edge >= _FILLED * len(inner)


def ends_sentence(text: str) -> bool:
    """Whether a text ends with a full stop or what is as good as one."""
    return _TERMINAL.search(text) is not None


def find_going_on(boxes: Sequence[Box], texts: Sequence[str]) -> set[int]:
    """The lines before which no sentence ends: the one before fills the column, without a full stop."""
    edge = max(right for _, _, right, _ in boxes)
    return {
        number
        for number in range(1, len(boxes))
        if boxes[number - 1][2] > edge - (boxes[number - 1][3] - boxes[number - 1][1])
        and not _TERMINAL.search(texts[number - 1])
    }


def group_rows(boxes: Sequence[Box]) -> list[list[int]]:
    """Indices of lines in rows: those that stand beside each other are one."""
    rows: list[list[int]] = []
    for index, box in enumerate(boxes):
        if rows:
            last = boxes[rows[-1][-1]]
            apart = abs(box[1] + box[3] - last[1] - last[3]) / 2
            if apart < 0.5 * min(box[3] - box[1], last[3] - last[1]) and box[0] > last[0]:
                rows[-1].append(index)
                continue
        rows.append([index])
    return rows


def _find_breaks(rows: Sequence[Box], texts: Sequence[str]) -> set[int]:
    """The numbers of the rows that begin a paragraph, without the first."""
    height = float(np.median([bottom - top for _, top, _, bottom in rows]))
    # No paragraph begins in the middle of a sentence: there a line was overlooked.
    going_on = find_going_on(rows, texts)
    breaks = {
        number
        for number in _find_gaps(rows, height)
        if number not in going_on or not texts[number].lstrip()[:1].islower()
    }
    markers = read_markers(texts, going_on)
    items = [number for number, marker in enumerate(markers) if marker is not None]
    if counts_on([marker for marker in markers if marker is not None]):
        # What stands before the first item is no part of the list; inside it, indentation means depth.
        return {
            number for number in (*breaks, items[0]) if number and not _inside_list(number, items, breaks)
        }
    breaks |= {number for number, text in enumerate(texts) if number and _ARTICLE.match(text)}
    return breaks | _find_indents(rows, texts, height) | _find_ends(rows, texts, height)


def _inside_list(number: int, items: Sequence[int], gaps: set[int]) -> bool:
    """Whether a gap only parts two items, or lines of one."""
    return number != items[0] and items[0] < number <= items[-1] and number in gaps


def _find_gaps(rows: Sequence[Box], height: float) -> set[int]:
    """Rows that stand further below than usual."""
    pitches = [(lower[1] + lower[3] - upper[1] - upper[3]) / 2 for upper, lower in pairwise(rows)]
    if len(rows) == 2:
        return {1} if pitches[0] > _WIDE_PITCH_OF_TWO * height else set()
    downward = [pitch for pitch in pitches if pitch > 0]
    # The lower quartile: where paragraphs are short, half of all distances may be wide ones.
    usual = max(float(np.quantile(downward, 0.25)), 0.8 * height) if downward else height
    limit = max(_WIDE_PITCH * usual, usual + 0.3 * height)
    return {number for number, pitch in enumerate(pitches, 1) if pitch > limit}


def _find_edge(values: Sequence[float], tolerance: float) -> float:
    """The place at which most of the values are."""
    return max(values, key=lambda value: sum(abs(value - other) <= tolerance for other in values))


def _find_indents(rows: Sequence[Box], texts: Sequence[str], height: float) -> set[int]:
    """Rows that are indented, or stick out, where the rows around them are not."""
    if len(rows) < _MIN_JUSTIFIED:
        return set()
    tolerance = _AT_EDGE * height
    edge = _find_edge([left for left, *_ in rows], tolerance)
    right_edge = max(right for _, _, right, _ in rows)
    indents = [left - edge for left, *_ in rows]
    found = set()
    hanging = [
        n for n, indent in enumerate(indents) if -_MAX_INDENT * height <= indent < -_MIN_INDENT * height
    ]
    if len(hanging) > 1 and hanging[0] == 0 and all(indents[n] <= tolerance for n in range(len(rows))):
        return set(hanging[1:])
    for number in range(1, len(rows)):
        if not _MIN_INDENT * height <= indents[number] <= _MAX_INDENT * height:
            continue
        following = indents[number + 1] if number + 1 < len(rows) else 0.0
        ended = rows[number - 1][2] < right_edge - _SHORT * height or _TERMINAL.search(texts[number - 1])
        if following <= tolerance and indents[number - 1] <= max(tolerance, indents[number]) and ended:
            found.add(number)
    return found


def _find_ends(rows: Sequence[Box], texts: Sequence[str], height: float) -> set[int]:
    """Rows after a short one, where all others end at one edge."""
    edge = _find_edge([right for _, _, right, _ in rows], _AT_EDGE * height)
    at_edge = sum(abs(right - edge) <= _AT_EDGE * height for _, _, right, _ in rows)
    if at_edge < max(_MIN_JUSTIFIED, _JUSTIFIED * len(rows)):
        return set()
    return {
        number
        for number in range(1, len(rows))
        if rows[number - 1][2] < edge - _SHORT * height and _TERMINAL.search(texts[number - 1])
    }

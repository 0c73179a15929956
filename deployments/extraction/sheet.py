"""The pages of a document as runs of text that stand beside and below each other, whatever their tilt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median

import numpy as np

from configs.rulebook import Country, DateOrder
from deployments.document import Line, Page, Quad
from deployments.extraction.places import locate_characters, share_of, take_off_margin
from deployments.structure.words import place_words
from deployments.vision.geometry import bound_quad

# A gap this wide, in heights of the line, divides a line into two runs.
_GAP_HEIGHTS = 2.0


@dataclass(frozen=True)
class Span:
    """The characters ``start`` to ``end`` of line ``line`` of the page at place ``page``."""

    page: int
    line: int
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Run:
    """A part of a line without a wide gap. Edges are pixels of the page after its tilt is taken out."""

    page: int
    line: int
    start: int
    text: str
    confidence: float
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """Pixels from top to bottom."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """The height in pixels on which it stands."""
        return (self.top + self.bottom) / 2

    def span(self, start: int = 0, end: int | None = None) -> Span:
        """A part of the run, white space at its ends left out."""
        end = len(self.text) if end is None else end
        part = self.text[start:end]
        start += len(part) - len(part.lstrip())
        return Span(self.page, self.line, self.start + start, self.start + start + len(part.strip()))

    def cut(self, start: int, end: int) -> "Run":
        """A part of the run as a run, its edges by the widths of the characters."""
        first, last = share_of(self.text, start), share_of(self.text, end)
        width = self.right - self.left
        return Run(
            self.page,
            self.line,
            self.start + start,
            self.text[start:end],
            self.confidence,
            self.left + width * first,
            self.top,
            self.left + width * last,
            self.bottom,
        )


@dataclass(frozen=True, eq=False)
class Sheet:
    """A document to look for fields in: its runs in reading order, and the country's habits."""

    pages: Sequence[Page]
    country: Country | None
    date_order: DateOrder = "DMY"
    runs: Sequence[Run] = field(default_factory=tuple)

    @cached_property
    def line_height(self) -> float:
        """The ordinary height of a line in pixels."""
        return median(run.height for run in self.runs) if self.runs else 1.0

    @cached_property
    def text_lines(self) -> int:
        """How many runs there are."""
        return len(self.runs)

    def right_of(self, run: Run) -> list[Run]:
        """Runs in the same row after it, the nearest first."""
        beside = [
            other
            for other in self.runs
            if other.page == run.page
            and other is not run
            and other.left >= run.right - 0.5 * run.height
            and stand_in_row(run, other)
        ]
        return sorted(beside, key=lambda other: other.left)

    def row_of(self, run: Run) -> list[Run]:
        """All runs of a row from the left."""
        row = [other for other in self.runs if other.page == run.page and stand_in_row(run, other)]
        return sorted(row, key=lambda other: other.left)

    def below(self, run: Run, reach: float = 2.6) -> list[Run]:
        """Runs under it that share a part of its width, the nearest first, ``reach`` of its heights down."""
        under = [
            other
            for other in self.runs
            if other.page == run.page
            and 0.5 * run.height < other.middle - run.middle < reach * max(run.height, self.line_height)
            and min(other.right, run.right) - max(other.left, run.left) > 0
        ]
        return sorted(under, key=lambda other: (round((other.top - run.top) / self.line_height), other.left))

    def text_of(self, span: Span) -> str:
        """What a span says."""
        return self.pages[span.page].lines[span.line].text[span.start : span.end]

    def quad_of(self, span: Span) -> Quad:
        """Where a span stands: by the line's words where they are known, else by shares of its width.

        The margin that the detector leaves around what it finds is taken off.
        """
        line = self.pages[span.page].lines[span.line]
        quad = locate_characters(line, span.start, span.end)
        if line.from_layer:
            return quad
        return take_off_margin(quad, line.text, span.start <= 0, span.end >= len(line.text))

    def confidence_of(self, spans: Iterable[Span]) -> float:
        """The least confidence of the lines."""
        return min((self.pages[span.page].lines[span.line].confidence for span in spans), default=0.0)


def stand_in_row(first: Run, second: Run) -> bool:
    """Whether two runs stand on one height."""
    return abs(first.middle - second.middle) < 0.5 * max(min(first.height, second.height), 1.0)


def split_runs(pages: Sequence[Page]) -> list[Run]:
    """The runs of all pages in reading order."""
    runs = []
    for number, page in enumerate(pages):
        tilt = _measure_tilt(page.lines)
        turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]], np.float32)
        for index, line in enumerate(page.lines):
            for start, end in _divide(line):
                text = line.text[start:end]
                if not text.strip():
                    continue
                quad = locate_characters(line, start, end) @ turn.T
                # A single digit, taller than wide, is often taken for a line on its side: its quad begins
                # at another corner.
                runs.append(Run(number, index, start, text, line.confidence, *bound_quad(quad)))
    return runs


def _measure_tilt(lines: Sequence[Line]) -> float:
    """The angle in radians by which the text of a page rises or falls; long lines tell it best."""
    strokes = [line.quad[1] - line.quad[0] for line in lines if len(line.text) >= 4]
    angles = [float(np.arctan2(stroke[1], stroke[0])) for stroke in strokes if stroke[0] > 0]
    tilt = median(angles) if angles else 0.0
    return tilt if abs(tilt) < 0.35 else 0.0


def _divide(line: Line) -> list[tuple[int, int]]:
    """Starts and ends of the parts of a line between wide gaps."""
    if not line.words:
        return [(0, len(line.text))]
    height = float(np.linalg.norm(line.quad[3] - line.quad[0])) or 1.0
    parts, start, position, edge = [], 0, 0, None
    for placed in place_words(line):
        word = placed.word
        at = line.text.find(word.text, position)
        if edge is not None and float(np.linalg.norm(word.quad[0] - edge)) > _GAP_HEIGHTS * height:
            parts.append((start, position))
            start = at
        position, edge = at + len(word.text), word.quad[1]
    return [*parts, (start, len(line.text))]

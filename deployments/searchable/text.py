"""The text of a page as runs in reading order, each with the place that it shall fill."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from deployments.document import Angle, FloatArray, Line, Page, Quad
from deployments.structure.words import PlacedWord, order_lines_of_page, place_words

# A space is never narrower than this share of its line's height.
_MIN_SPACE = 0.1


@dataclass(frozen=True, eq=False)
class TextRun:
    """Characters that fill a quad (float32, (4, 2)) of the upright page, in pixels."""

    text: str
    quad: Quad


@dataclass(frozen=True, eq=False)
class TextPage:
    """A page for a PDF: ``width`` and ``height`` in pixels once it is turned clockwise by ``rotation``.

    Both are 0 for a page that could not be read. The n-th of ``texts`` fills the n-th of ``quads`` (float32,
    (n, 4, 2)): one array travels between processes fifty times as fast as one for each word.
    """

    number: int
    width: int
    height: int
    rotation: Angle
    texts: tuple[str, ...]
    quads: FloatArray

    @classmethod
    def pack(
        cls, number: int, width: int, height: int, rotation: Angle, runs: Iterable[TextRun] = ()
    ) -> "TextPage":
        """A page with these runs."""
        held = tuple(runs)
        quads = np.array([run.quad for run in held], np.float32).reshape(-1, 4, 2)
        return cls(number, width, height, rotation, tuple(run.text for run in held), quads)

    @property
    def runs(self) -> tuple[TextRun, ...]:
        """The runs one by one, in reading order."""
        return tuple(map(TextRun, self.texts, self.quads))


def lay_out_page(page: Page) -> TextPage:
    """The runs of a page: put together, those of a line are its text, spaces included."""
    lines = [page.lines[index] for index in order_lines_of_page(page)]
    runs = (run for line in lines for run in _lay_out_line(line))
    return TextPage.pack(page.number, page.width, page.height, page.rotation, runs)


def _lay_out_line(line: Line) -> Iterator[TextRun]:
    """Words and the spaces between them; words that nothing divides touch each other.

    Readers of a PDF put spaces of their own into gaps that no character fills.
    """
    words = place_words(line)
    for word, after in zip(words, [*words[1:], None], strict=True):
        quad = word.word.quad
        if after is None:
            yield TextRun(word.word.text, quad)
        elif after.spaced:
            yield TextRun(word.word.text, quad)
            yield TextRun(" ", _fill_gap(quad, after.word.quad))
        else:
            yield TextRun(word.word.text, _reach(quad, after))


def _fill_gap(before: Quad, after: Quad) -> Quad:
    """The quad between two words, or a narrow one where they touch."""
    across = before[1] - before[0]
    direction = across / max(float(np.linalg.norm(across)), 1.0)
    height = float(np.linalg.norm(before[3] - before[0]))
    width = float(np.dot(after[0] - before[1], direction))
    step = direction * max(width, _MIN_SPACE * height)
    return np.array([before[1], before[1] + step, before[2] + step, before[2]], np.float32)


def _reach(quad: Quad, after: PlacedWord) -> Quad:
    """The quad up to where the next word begins."""
    return np.array([quad[0], after.word.quad[0], after.word.quad[3], quad[3]], np.float32)

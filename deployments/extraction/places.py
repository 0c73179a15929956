"""Where some characters of a line stand on the page, as close around them as the line's own quad tells."""

import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import numpy as np

from deployments.document import Line, Quad
from deployments.structure.words import place_words
from deployments.vision.geometry import cut_quad

# The shares of a detected line's height that are margin over, under and at the ends of its text (medians of
# rendered papers). What it finds is the middle of the letters, widened: where letters reach above or below
# that, less of it is air.
_OVER, _UNDER, _BEFORE, _BEHIND = 0.13, 0.13, 0.05, 0.02
_OVER_MIXED, _UNDER_MIXED, _UNDER_DEEP = 0.06, 0.08, 0.0
_OVER_ONE, _UNDER_ONE, _AROUND_ONE = 0.11, 0.18, 0.05
# Of other scripts, and how much of the width the ends may have at most, of a single digit say.
_MARGIN, _MOST_OF_WIDTH = 0.08, 0.2
_DEEP = frozenset("gjpqyQJ,;")
# These reach over and under all others.
_TALL = frozenset("/()[]{}|$")
# The width of a lone digit in its heights, the air of its font counted: what is found of so little varies.
_DIGIT_ASPECT = (0.75, 0.85)
_LOW = frozenset("acemnorsuvwxz")
_LEAST_ASPECT = 0.5
# Characters on each side that help to place one.
_NEIGHBOURS = 2
_NARROW = frozenset("iljtfrI.,:;'|!()[]/ ")
_WIDE = frozenset("mwMW@%&")


def take_off_margin(quad: Quad, text: str, begins_line: bool, ends_line: bool) -> Quad:
    """The quad of a part of a line less the margin over and under it, and at the ends of its line.

    ``text`` is the line's. Lines on their side are left as they are.
    """
    is_single = len(text.strip()) == 1
    if is_single:
        quad = _stand_upright(quad)
    width, height = np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[3] - quad[0])
    if width < _LEAST_ASPECT * height:
        return quad
    over, under = _find_margins(text)
    top_left, top_right, bottom_right, bottom_left = quad
    left, right = bottom_left - top_left, bottom_right - top_right
    along = top_right - top_left
    before, behind = (_AROUND_ONE, _AROUND_ONE) if is_single else (_BEFORE, _BEHIND)
    first = along * min(before * height / width, _MOST_OF_WIDTH) * begins_line
    last = along * min(behind * height / width, _MOST_OF_WIDTH) * ends_line
    tight = np.array(
        [
            top_left + left * over + first,
            top_right + right * over - last,
            bottom_right - right * under - last,
            bottom_left - left * under + first,
        ],
        np.float32,
    )
    return _shape_digit(tight) if is_single and text.strip().isdecimal() else tight


def _shape_digit(quad: Quad) -> Quad:
    """A digit's quad, as wide as digits are, about the middle that was found."""
    width, height = np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[3] - quad[0])
    grow = (np.clip(width, *np.multiply(_DIGIT_ASPECT, height)) / width - 1) / 2
    top, bottom = (quad[1] - quad[0]) * grow, (quad[2] - quad[3]) * grow
    return np.array([quad[0] - top, quad[1] + top, quad[2] + bottom, quad[3] - bottom], np.float32)


def _stand_upright(quad: Quad) -> Quad:
    """The quad from its corner at the top left of the page on.

    A single digit, taller than wide, is taken for a line on its side, whose quad begins at another corner.
    """
    return np.roll(quad, -int(quad.sum(axis=1).argmin()), axis=0)


def _find_margins(text: str) -> tuple[float, float]:
    """Shares of a line's height that are margin over and under its text."""
    if any(character.isalpha() and not character.isascii() for character in text):
        return _MARGIN, _MARGIN
    if len(text.strip()) == 1:
        return _OVER_ONE, _UNDER_ONE
    if _TALL.intersection(text):
        return 0.0, 0.0
    is_mixed = bool(_LOW.intersection(text))
    over, under = (_OVER_MIXED, _UNDER_MIXED) if is_mixed else (_OVER, _UNDER)
    return over, _UNDER_DEEP if _DEEP.intersection(text) else under


def width_of(character: str) -> float:
    """The width of a character beside that of a digit, as proportional fonts have it."""
    if unicodedata.east_asian_width(character) in ("W", "F"):
        return 1.6
    if character in _NARROW:
        return 0.52
    if character in _WIDE:
        return 1.5
    return 1.2 if character.isupper() else 1.0


def share_of(text: str, position: int) -> float:
    """The share (0 to 1) of a text's width that lies before a position."""
    widths = [width_of(character) for character in text]
    return sum(widths[:position]) / (sum(widths) or 1.0)


def locate_characters(line: Line, start: int, end: int) -> Quad:
    """The quad of some characters of a line: by their middles, the line's words, or shares of its width."""
    if start <= 0 and end >= len(line.text):
        return line.quad
    if len(line.middles) == len(line.text):
        return cut_quad(line.quad, *find_edges(line.text, line.middles, start, end))
    places, position = [], 0
    for placed in place_words(line) if line.words else ():
        word = placed.word
        at = line.text.find(word.text, position)
        position = at + len(word.text)
        first, last = max(start, at) - at, min(end, position) - at
        if first < last:
            places.append(cut_quad(word.quad, share_of(word.text, first), share_of(word.text, last)))
    if not places:
        return cut_quad(line.quad, share_of(line.text, start), share_of(line.text, end))
    (first_quad, last_quad) = places[0], places[-1]
    return np.array([first_quad[0], last_quad[1], last_quad[2], first_quad[3]], np.float32)


def find_edges(text: str, middles: Sequence[float], start: int, end: int) -> tuple[float, float]:
    """Left and right edge of the characters ``start`` to ``end``, as shares of the line's length.

    A recogniser tells middles to one of its steps, a third of a digit or so: the characters of a word
    together tell each of them better, by the widths that they have beside each other.
    """
    widths = [width_of(character) for character in text]
    # What white space is as wide as, nobody knows.
    inked = [place for place, character in enumerate(text) if not character.isspace()]
    pairs = [(one, other) for one, other in pairwise(inked) if other == one + 1]
    steps = [(middles[other] - middles[one]) / ((widths[one] + widths[other]) / 2) for one, other in pairs]
    unit = median(steps) if steps else 1 / sum(widths)
    left = start if start <= 0 else _settle(text, widths, middles, start, unit) - unit * widths[start] / 2
    right = _settle(text, widths, middles, end - 1, unit) + unit * widths[end - 1] / 2
    return (0.0 if start <= 0 else max(left, 0.0)), (1.0 if end >= len(text) else min(right, 1.0))


def _settle(text: str, widths: Sequence[float], middles: Sequence[float], place: int, unit: float) -> float:
    """The middle of a character by its own and its neighbours' in the same word."""
    guesses = [middles[place]]
    for direction in (-1, 1):
        offset, other = 0.0, place
        for _ in range(_NEIGHBOURS):
            following = other + direction
            if not 0 <= following < len(text) or text[following].isspace():
                break
            offset += unit * (widths[other] + widths[following]) / 2
            other = following
            guesses.append(middles[other] - direction * offset)
    return sum(guesses) / len(guesses)

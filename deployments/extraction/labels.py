"""Labels on a page: words of the rules, as they are or nearly so."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from deployments.extraction.sheet import Run

# Shorter labels are too like other words.
_FUZZY_LENGTH = 5
_FUZZY_SCORE = 86.0


@dataclass(frozen=True)
class Label:
    """A label found in a run: its place in the text, how like it is (0 to 1), its rank (0 is best)."""

    run: Run
    start: int
    end: int
    likeness: float
    rank: int


@dataclass(frozen=True)
class Compact:
    """A text without case, space and punctuation; ``places`` are its characters' places in the text."""

    text: str
    places: tuple[int, ...]
    starts: frozenset[int]


@lru_cache(maxsize=8192)
def compact(text: str) -> Compact:
    """The letters and digits of a text; ``starts`` are those that begin a word."""
    letters: list[str] = []
    places: list[int] = []
    starts: set[int] = set()
    fresh = True
    for place, character in enumerate(text):
        for plain in unicodedata.normalize("NFKC", character).casefold():
            if not plain.isalnum():
                fresh = True
                continue
            if fresh or (letters and letters[-1].isdigit() != plain.isdigit()):
                starts.add(len(letters))
            letters.append(plain)
            places.append(place)
            fresh = False
    return Compact("".join(letters), tuple(places), frozenset(starts))


def find_word(text: Compact, word: Compact, exact: bool = False) -> tuple[int, int, float] | None:
    """Where a word of the rules stands in a text: start, end (of the compact text) and likeness.

    It begins and ends where words do, but for Hangul, whose words have endings. Unless it must be ``exact``,
    it may stand without the space behind it, and long words may be misread in a letter or two
    (`rapidfuzz.fuzz.partial_ratio_alignment`).
    """
    needle = word.text
    if not needle or not text.text:
        return None
    hangul = not needle.isascii()
    at = text.text.find(needle)
    while at >= 0:
        end = at + len(needle)
        whole = end == len(text.text) or end in text.starts
        if (at in text.starts or hangul) and (whole or hangul):
            return at, end, 1.0
        at = text.text.find(needle, at + 1)
    # Recognisers drop the space between words.
    if len(needle) >= 6 and text.text.startswith(needle):
        return 0, len(needle), 0.97
    if (
        exact
        or len(needle) < _FUZZY_LENGTH
        or len(text.text) < len(needle) - 1
        or (hangul and len(needle) < 4)
    ):
        return None
    found = fuzz.partial_ratio_alignment(needle, text.text, score_cutoff=_FUZZY_SCORE)
    if found is None or found.dest_start not in text.starts:
        return None
    return found.dest_start, found.dest_end, found.score / 100


def has_word(text: str, words: Iterable[str]) -> bool:
    """Whether a text has one of some words of the rules, letter by letter."""
    held = compact(text)
    return any(find_word(held, compact(word), exact=True) is not None for word in words)


def find_label(run: Run, labels: Sequence[str], not_labels: Sequence[str]) -> Label | None:
    """The best label of a run; None where a word that makes it another's label stands there, too.

    Of labels that begin together the longest wins.
    """
    held = compact(run.text)
    best: tuple[tuple[float, float, int], Label] | None = None
    for rank, label in enumerate(labels):
        found = find_word(held, compact(label))
        if found is None:
            continue
        start, end, likeness = found
        places = held.places
        cover = (end - start) / max(sum(not held.text[i].isdigit() for i in range(len(held.text))), 1)
        last = places[min(end, len(places)) - 1] + 1
        if run.text[last:].lstrip(" )]").startswith((":", "：")):
            cover = 1.0
        candidate = Label(run, places[start], last, likeness * min(1.0, 0.6 + 0.4 * cover), rank)
        # A label in the middle of a sentence is a weak one.
        key = (-(start > 0), round(likeness, 2), end - start)
        if best is None or key > best[0]:
            best = key, candidate
    if best is None:
        return None
    chosen = compact(labels[best[1].rank]).text
    for word in not_labels:
        # A label that itself has such a word inside is meant so.
        if find_word(held, compact(word), exact=True) is not None and compact(word).text not in chosen:
            return None
    return best[1]

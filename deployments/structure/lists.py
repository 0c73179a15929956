"""Lists: which lines begin an item, which go on in it, and how deep each item stands."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from deployments.blocks import Box
from deployments.structure.joining import join_lines

# An item's text is indented by this for each level.
INDENT = "  "

_BULLETS = (
    "\u2022\u25cf\u25cb\u25aa\u25ab\u25a0\u25a1\u25e6\u00b7\u30fb\u2023\u2043\u2219\u25b6\u25b7\u25ba\u25b8"
    "\u27a2\u27a4\u2714\u2713\u203b\u25c6\u25c7\u2605\u2606\u261e\u2192\u318d*"
)
# Each kind of marker counts by itself; a circle that Korean lists begin with is a letter of its own, and is
# often read as a Latin o.
_MARKERS = {
    "bullet": re.compile(rf"\s*[{re.escape(_BULLETS)}]\s*(?=\S)"),
    "dash": re.compile(r"\s*(?:[-\u2013\u2014]\s+|-(?=[^\W\d]))"),
    "circle": re.compile(r"\s*(?:\u3147\s*(?=\S)|[oO]\s*(?=[\uac00-\ud7a3]))"),
    "circled": re.compile(r"\s*([\u2460-\u2473\u24d0-\u24e9\u3260-\u327b])\s*(?=\S)"),
    "section": re.compile(r"\s*(\d{1,2}(?:\.\d{1,2}){1,3})\.?\s+(?=[^\s\d])"),
    "number.": re.compile(r"\s*(\d{1,3})\.(?=\s|[^\s\d])\s*"),
    "number)": re.compile(r"\s*(\d{1,3})\)\s*"),
    "(number)": re.compile(r"\s*[(\[](\d{1,3})[)\]]\s*"),
    "hangul.": re.compile(r"\s*([\uac00-\ud7a3])\.\s*(?=\S)"),
    "hangul)": re.compile(r"\s*\(?([\uac00-\ud7a3])\)\s*(?=\S)"),
    "letter": re.compile(r"\s*\(?([A-Za-z])[.)]\s*(?=\S)"),
    "roman": re.compile(r"\s*\(?([ivxIVX]{2,5})[.)]\s*(?=\S)"),
}
# Markers that only say that an item begins.
UNCOUNTED = ("bullet", "dash", "circle")
_KOREAN_ORDER = "가나다라마바사아자차카타파하"
_ROMAN = {"i": 1, "v": 5, "x": 10}
# Lines that name something before a colon: at least so many, and this share of all.
_DEFINITION = re.compile(r"\s*[^\s:\uff1a][^:\uff1a]{0,30}[:\uff1a](?=\s|[^\s/\d])")
_MIN_DEFINITIONS, _MIN_DEFINED = 3, 0.6
# Items stand deeper when they begin this much further to the right, in heights of a line.
_DEEPER = 0.6


@dataclass(frozen=True)
class Marker:
    """What an item begins with; ``number`` is None for marks that do not count."""

    kind: str
    text: str
    number: tuple[int, ...] | None


def read_marker(line: str) -> Marker | None:
    """The marker that a line begins with, if it does and something follows."""
    for kind, pattern in _MARKERS.items():
        match = pattern.match(line)
        if match and match.end() < len(line.rstrip()):
            number = None if kind in UNCOUNTED else _read_number(kind, match[1])
            return Marker(kind, match[0].strip(), number)
    return None


def _read_number(kind: str, text: str) -> tuple[int, ...]:
    if kind.startswith("hangul"):
        return (_KOREAN_ORDER.find(text) + 1,)
    if kind == "letter":
        return (ord(text.lower()) - ord("a") + 1,)
    if kind == "roman":
        values = [_ROMAN[letter] for letter in text.lower()]
        return (
            sum(-v if v < following else v for v, following in zip(values, [*values[1:], 0], strict=True)),
        )
    if kind == "circled":
        return (ord(text),)
    return tuple(map(int, text.split(".")))


@dataclass(frozen=True)
class Item:
    """An item as `write_list` wrote it, taken apart; ``text`` is without the marker."""

    depth: int
    marker: Marker | None
    text: str


def read_items(text: str) -> list[Item]:
    """The items of a list's text, each on a line of its own."""
    items = []
    for row in text.split("\n"):
        bare = row.lstrip(" ")
        marker = read_marker(bare)
        rest = bare[len(marker.text) :].lstrip() if marker else bare
        items.append(Item((len(row) - len(bare)) // len(INDENT), marker, rest))
    return items


def read_markers(lines: Sequence[str], goes_on: Collection[int] = ()) -> list[Marker | None]:
    """The marker of each line; no number begins an item in ``goes_on``, in the middle of a sentence."""
    markers = [read_marker(line) for line in lines]
    return [
        marker if marker is None or marker.kind in UNCOUNTED or index not in goes_on else None
        for index, marker in enumerate(markers)
    ]


def split_items(lines: Sequence[str], goes_on: Collection[int] = ()) -> list[list[int]]:
    """Indices of the lines of each item; lines that begin none belong to the one before."""
    markers = read_markers(lines, goes_on)
    begins = [marker is not None for marker in markers]
    if not any(begins):
        begins = [_is_definition(line) for line in lines]
    items: list[list[int]] = []
    for index, is_start in enumerate(begins):
        if is_start or not items:
            items.append([])
        items[-1].append(index)
    return items


def is_list(lines: Sequence[str], goes_on: Collection[int] = ()) -> bool:
    """Whether lines are a list: the first begins an item, and so does another one that counts on.

    Lines that name something before a colon, one below the other, are a list as well.
    """
    if len(lines) < 2:
        return False
    markers = read_markers(lines, goes_on)
    if markers[0] is None:
        defined = sum(map(_is_definition, lines))
        return _is_definition(lines[0]) and defined >= max(_MIN_DEFINITIONS, _MIN_DEFINED * len(lines))
    return counts_on([marker for marker in markers if marker is not None])


def counts_on(markers: Sequence[Marker]) -> bool:
    """Whether two markers are of one kind, and the later one counts on where they count."""
    by_kind: dict[str, list[Marker]] = {}
    for marker in markers:
        by_kind.setdefault(marker.kind, []).append(marker)
    for same in by_kind.values():
        for one, other in pairwise(same):
            if one.number is None or other.number is None or _follows(one.number, other.number):
                return True
    return False


def _follows(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether a number is the next one, of the same depth or one deeper or higher."""
    if len(one) == len(other):
        return one[:-1] == other[:-1] and other[-1] == one[-1] + 1
    if len(other) == len(one) + 1:
        return other == (*one, 1)
    return len(other) < len(one) and other == (*one[: len(other) - 1], one[len(other) - 1] + 1)


def _is_definition(line: str) -> bool:
    return _DEFINITION.match(line) is not None


def write_list(
    lines: Sequence[str],
    boxes: Sequence[Box],
    words: frozenset[str] = frozenset(),
    goes_on: Collection[int] = (),
) -> str:
    """The items on lines of their own, each indented by its depth."""
    items = split_items(lines, goes_on)
    starts = [(boxes[item[0]], read_marker(lines[item[0]])) for item in items]
    return "\n".join(
        INDENT * depth + join_lines([lines[index] for index in item], words)
        for item, depth in zip(items, _find_depths(starts), strict=True)
    )


def _find_depths(starts: Sequence[tuple[Box, Marker | None]]) -> list[int]:
    """How deep each item stands, from where it begins and what with."""
    open_items: list[tuple[float, str]] = []
    depths = []
    for box, marker in starts:
        left, tolerance = box[0], _DEEPER * (box[3] - box[1])
        kind = marker.kind if marker else ""
        while open_items and left < open_items[-1][0] - tolerance:
            open_items.pop()
        if not open_items or left > open_items[-1][0] + tolerance:
            open_items.append((left, kind))
        elif kind != open_items[-1][1]:
            # At one edge another mark goes deeper, unless an item above has it.
            above = [n for n, item in enumerate(open_items) if item[1] == kind]
            open_items = open_items[: above[-1] + 1] if above else [*open_items, (left, kind)]
        depths.append(len(open_items) - 1)
    return depths

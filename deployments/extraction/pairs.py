"""Labels and their values on forms of any kind, by marks and by where they stand."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deployments.extraction.labels import compact, find_word
from deployments.extraction.sheet import Run, Sheet, Span, stand_in_row

# A colon that divides: not that of a time or an address of the web.
_COLON = re.compile(r"\s*[:：](?!\d\d\b(?<=\d:\d\d))(?!//)\s*")
_BLANKS = re.compile(r"^[\s_.\-:]*$")
_LABEL_WORDS, _LABEL_LETTERS = 9, 60
_REACH_HEIGHTS = 14.0
_CAPITALS = re.compile(
    r"^([A-Z][A-Z&/.,'()\- ]*[A-Z)])(?=\s+(?:[A-Z][a-z]|[a-z]|\S*\d)|(?<=[A-Z])[A-Z][a-z])"
)
_HAS_DIGIT = re.compile(r"\d")
_NEXT_LABEL = re.compile(r"(?:^|\s)((?:[A-Z][\w.'&/()-]*|[가-힣]{2,8})(?:\s[A-Za-z][\w.'&/()-]*){0,2})\s*$")


@dataclass(frozen=True)
class Pair:
    """A label and its value's parts; ``score`` from 0 to 1."""

    label: str
    parts: tuple[Span, ...]
    text: str
    score: float


def find_pairs(sheet: Sheet, known: Sequence[str] = ()) -> list[Pair]:
    """All labels with a value on the document, in reading order.

    A label ends with a colon; its value follows in the line, else it stands right of it, else below it.
    ``known`` labels and words in capitals need no colon.
    """
    pieces = [piece for run in sheet.runs for piece in split_labels(run)]
    labels = [piece for piece, is_label in pieces if is_label]
    values = [piece for piece, is_label in pieces if not is_label]
    taken: set[int] = set()
    pairs = []
    for label in labels:
        found = _find_value(label, values, labels, sheet, taken)
        if found is None:
            continue
        runs, score = found
        taken.update(id(run) for run in runs)
        text = " ".join(" ".join(run.text.split()) for run in runs)
        name = " ".join(label.text.strip(" :：.").split())
        pairs.append(
            Pair(name, tuple(run.span() for run in runs), text, score * (0.7 + 0.3 * label.confidence))
        )
    used = {(run.page, run.line) for run in labels} | {
        (span.page, span.line) for pair in pairs for span in pair.parts
    }
    left = [run for run in values if (run.page, run.line) not in used]
    return [*pairs, *_find_unmarked(left, sheet, known)]


def _find_unmarked(left: Sequence[Run], sheet: Sheet, known: Sequence[str]) -> Iterator[Pair]:
    """Labels without a colon: known ones and those in capitals, with a value in the line, right or below."""
    done: set[int] = set()
    pieces: list[tuple[Run, Run | None]] = []
    for run in left:
        place = _end_of_label(run.text)
        pieces.append((run.cut(0, place), run.cut(place, len(run.text))) if place else (run, None))
    names = {id(label): _is_known(label.text, known) for label, _ in pieces}
    for label, own in sorted(pieces, key=lambda piece: (piece[0].page, piece[0].middle, piece[0].left)):
        if id(label) in done or not (own or names[id(label)] or _is_capital(label.text)):
            continue
        free = [
            other
            for other, rest in pieces
            if rest is None and other.page == label.page and id(other) not in done and not names[id(other)]
        ]
        value, score = own, 0.6
        if value is None:
            value, score = _beside(label, free, 1.0 if names[id(label)] else 0.6), 0.5
        if value is None and names[id(label)]:
            value, score = _under(label, free), 0.45
        if value is None:
            continue
        done |= {id(label), id(value)}
        name = " ".join(label.text.strip(" :：.").split())
        text = " ".join(value.text.split()).lstrip(":; ")
        yield Pair(name, (value.span(),), text, score * (0.7 + 0.3 * label.confidence))


def _end_of_label(text: str) -> int:
    """Where words in capitals end and others begin: "SHIPPED VIA Direct Express"; 0 where they do not."""
    found = _CAPITALS.match(text)
    return found.end(1) if found and count_capitals(found[1]) >= 4 and _is_label(found[1]) else 0


def count_capitals(text: str) -> int:
    """How many capital letters a text has."""
    return sum(character.isupper() for character in text)


def _is_capital(text: str) -> bool:
    plain = text.strip()
    return (
        count_capitals(plain) >= 4
        and plain == plain.upper()
        and _is_label(plain)
        and not _HAS_DIGIT.search(plain)
    )


def _is_known(text: str, known: Sequence[str]) -> bool:
    """Whether a text is a known label, or little more."""
    if not _is_label(text) or _HAS_DIGIT.search(text):
        return False
    held = compact(text)
    for word in known:
        found = find_word(held, compact(word))
        if found is not None and found[1] - found[0] >= 0.6 * len(held.text):
            return True
    return False


def _beside(label: Run, free: Sequence[Run], reach: float) -> Run | None:
    near = [
        other
        for other in free
        if stand_in_row(label, other)
        and -0.3 * label.height < other.left - label.right < reach * _REACH_HEIGHTS * label.height
    ]
    value = min(near, key=lambda other: other.left, default=None)
    return None if value is None or _is_capital(value.text) else value


def _under(label: Run, free: Sequence[Run]) -> Run | None:
    near = [
        other
        for other in free
        if 0.5 * label.height < other.middle - label.middle < 2.0 * label.height
        and abs(other.left - label.left) < 1.5 * label.height
    ]
    return min(near, key=lambda other: other.middle, default=None)


def split_labels(run: Run) -> Iterator[tuple[Run, bool]]:
    """The parts of a run: labels (true) and what is none."""
    position = 0
    for found in _COLON.finditer(run.text):
        start, end = position, found.end()
        before = run.text[start : found.start()]
        if before.strip() and before.rstrip()[-1].isdigit() and run.text[end : end + 1].isdigit():
            continue
        if position:
            # A second label in a line begins with its capital.
            last = _NEXT_LABEL.search(before)
            if last is None:
                continue
            if last.start(1) > 0:
                yield run.cut(start, start + last.start(1)), False
            start += last.start(1)
        label = run.text[start : found.start()].strip()
        if not _is_label(label):
            continue
        yield run.cut(start, end), True
        position = end
    rest = run.text[position:]
    if not _BLANKS.match(rest):
        yield (run.cut(position, len(run.text)) if position else run), False


def _is_label(text: str) -> bool:
    letters = sum(character.isalpha() for character in text)
    return letters >= 2 and len(text) <= _LABEL_LETTERS and len(text.split()) <= _LABEL_WORDS


def _find_value(
    label: Run, values: Sequence[Run], labels: Sequence[Run], sheet: Sheet, taken: set[int]
) -> tuple[list[Run], float] | None:
    free = [value for value in values if value.page == label.page and id(value) not in taken]
    same = [
        value for value in free if value.line == label.line and value.start >= label.start + len(label.text)
    ]
    between = [other for other in labels if other.line == label.line and other.start > label.start]
    if same and not (between and between[0].start < same[0].start):
        return [same[0], *_go_on(same[0], label, free, labels)], 0.85
    barrier = min(
        (
            other.left
            for other in labels
            if other.page == label.page and other.left > label.right and stand_in_row(other, label)
        ),
        default=float("inf"),
    )
    beside = sorted(
        (
            value
            for value in free
            if stand_in_row(value, label)
            and label.right - label.height < value.left < barrier
            and value.left - label.right < _REACH_HEIGHTS * label.height
        ),
        key=lambda value: value.left,
    )
    if beside:
        return [*beside[:1], *_go_on(beside[0], label, free, labels)], 0.75
    under = [
        value
        for value in free
        if 0.5 * label.height < value.middle - label.middle < 2.2 * label.height
        and min(value.right, label.right) - max(value.left, label.left) > 0
        and not any(
            stand_in_row(other, value) and other.right <= value.left + value.height for other in labels
        )
    ]
    return ([min(under, key=lambda value: value.middle)], 0.5) if under else None


def _go_on(first: Run, label: Run, values: Sequence[Run], labels: Sequence[Run]) -> list[Run]:
    """Lines that carry a value on: below it, from the same edge, with no label before them."""
    runs: list[Run] = []
    last = first
    while True:
        following = [
            value
            for value in values
            if value.page == last.page
            and 0.5 * last.height < value.top - last.top < 1.7 * last.height
            and abs(value.left - first.left) < 0.7 * first.height
            and first.left > label.left + label.height
            and not any(stand_in_row(other, value) and other.left < value.left for other in labels)
        ]
        if not following or len(runs) >= 5:
            return runs
        last = min(following, key=lambda value: value.top)
        runs.append(last)

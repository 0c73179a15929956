"""Which lines of a page can be taken from its text layer, and whether the layer tells the truth.

The detector says where lines are, as on any page; a line that the layer covers takes the layer's characters.
So text within pictures is not lost, and a page has the same lines with and without a layer.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein

from deployments.document import (
    Angle,
    FloatArray,
    Image,
    LineText,
    TextLayer,
    WordSpan,
)

# A line is covered when characters of the layer take this share of its length.
_MIN_COVERED = 0.5
# A gap of this share of a line's height is a space, whether the layer has one or not.
_SPACE_GAP = 0.35
# A layer with more than this share of characters that are none was made by a broken encoder.
_MAX_UNREADABLE = 0.1
_SAMPLE_LINES = 6
_SAMPLE_MIN_LETTERS = 4
# A recogniser less sure than this may not know the script: it proves nothing.
_MIN_EVIDENCE = 0.85
_MIN_AGREEMENT = 0.8
# Lighter or darker than its surroundings by this much, text can be seen.
_MIN_CONTRAST = 48
_MAX_RUN_GAP = 1.5


@dataclass(frozen=True)
class StatedLines:
    """Lines of a page: the detected ones, and those of the layer that the detector missed.

    ``quads`` is float32 of shape (n, 4, 2); ``texts`` has None where the layer does not cover the line;
    ``missed`` are the places of lines that were not detected.
    """

    quads: FloatArray
    texts: tuple[LineText | None, ...]
    missed: frozenset[int] = frozenset()

    def reorder(self, order: Sequence[int]) -> "StatedLines":
        """The same lines in another order."""
        missed = frozenset(place for place, index in enumerate(order) if index in self.missed)
        return StatedLines(self.quads[list(order)], tuple(self.texts[index] for index in order), missed)

    def detected_places(self) -> list[int]:
        """Places of the lines that can be seen."""
        return [place for place in range(len(self.texts)) if place not in self.missed]


def turn_layer(layer: TextLayer, angle: Angle, width_px: int, height_px: int) -> TextLayer:
    """The layer of a page that was turned clockwise by ``angle``; the size is that before turning."""
    left, top, right, bottom = layer.boxes.T
    turned = {
        0: (left, top, right, bottom),
        90: (height_px - bottom, left, height_px - top, right),
        180: (width_px - right, height_px - bottom, width_px - left, height_px - top),
        270: (top, width_px - right, bottom, width_px - left),
    }[angle]
    return TextLayer(layer.text, np.stack(turned, axis=1).astype(np.float32), layer.hidden)


def match_lines(layer: TextLayer, quads: FloatArray, pixels: Image) -> StatedLines:
    """The detected lines (float32, (n, 4, 2)) with the text that the layer has for them.

    Visible characters that no line holds become lines of their own where the page shows something.
    """
    marks = _find_marks(layer)
    owners = _find_owners(layer, marks, quads)
    texts = [_state_line(layer, marks[owners == index], quad) for index, quad in enumerate(quads)]
    missed = _find_missed(layer, marks[owners < 0], pixels)
    texts += [_state_line(layer, members, quad) for quad, members in missed]
    extra = np.array([quad for quad, _ in missed], np.float32).reshape(-1, 4, 2)
    places = frozenset(range(len(quads), len(texts)))
    return StatedLines(np.concatenate([quads.reshape(-1, 4, 2), extra]), tuple(texts), places)


def is_readable(layer: TextLayer) -> bool:
    """Whether the layer has text, and next to no characters that mean nothing."""
    marks = [character for character in layer.text if not character.isspace()]
    unreadable = sum(
        character == "\ufffd" or unicodedata.category(character) in ("Co", "Cn") for character in marks
    )
    return bool(marks) and unreadable <= _MAX_UNREADABLE * len(marks)


def choose_sample(texts: Sequence[LineText | None]) -> list[int]:
    """Places of a few covered lines, spread over the page, that are to be read from pixels besides."""
    long = [
        index
        for index, text in enumerate(texts)
        if text is not None and sum(map(str.isalnum, text.text)) >= _SAMPLE_MIN_LETTERS
    ]
    if len(long) <= _SAMPLE_LINES:
        return long
    return [long[round(step * (len(long) - 1) / (_SAMPLE_LINES - 1))] for step in range(_SAMPLE_LINES)]


def agrees(stated: Sequence[LineText], read: Sequence[LineText]) -> bool:
    """Whether the layer says what the pixels show, as far as the recogniser is sure of these."""
    likeness = [
        Levenshtein.normalized_similarity(_simplify(one.text), _simplify(other.text))
        for one, other in zip(stated, read, strict=True)
        if other.confidence >= _MIN_EVIDENCE
    ]
    return not likeness or float(np.mean(likeness)) >= _MIN_AGREEMENT


def _simplify(text: str) -> str:
    """What two readings of the same line have in common: neither spaces nor forms of a letter."""
    normal = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in normal if character.isalnum()) or "".join(normal.split())


def _find_marks(layer: TextLayer) -> np.ndarray:
    """Places of the characters that can be seen."""
    seen = np.array([not character.isspace() and character.isprintable() for character in layer.text], bool)
    sized = (layer.boxes[:, 2] > layer.boxes[:, 0]) & (layer.boxes[:, 3] > layer.boxes[:, 1])
    return np.flatnonzero(seen & sized)


def _find_owners(layer: TextLayer, marks: np.ndarray, quads: FloatArray) -> np.ndarray:
    """For each mark the line that its middle lies in, the most central one of several, -1 for none."""
    owners = np.full(len(marks), -1)
    if not len(marks) or not len(quads):
        return owners
    boxes = layer.boxes[marks]
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    best = np.full(len(marks), np.inf)
    for index, quad in enumerate(quads):
        along, across, length, height = _measure_in_line(quad, middles)
        inside = (along >= 0) & (along <= length) & (across >= 0) & (across <= height)
        offset = np.abs(across - height / 2)
        nearer = inside & (offset < best)
        owners[nearer], best[nearer] = index, offset[nearer]
    return owners


def _measure_in_line(quad: FloatArray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Positions along and across a line, and the line's length and height."""
    origin, along_axis, across_axis = quad[0], quad[1] - quad[0], quad[3] - quad[0]
    length, height = float(np.linalg.norm(along_axis)), float(np.linalg.norm(across_axis))
    relative = points - origin
    return (
        relative @ along_axis / max(length, 1e-6),
        relative @ across_axis / max(height, 1e-6),
        length,
        height,
    )


def _state_line(layer: TextLayer, members: np.ndarray, quad: FloatArray) -> LineText | None:
    """The layer's text of a line, None where it does not cover it or runs from right to left."""
    if not len(members):
        return None
    boxes = layer.boxes[members]
    starts, ends, length, height = _project(quad, boxes)
    order = np.lexsort((members, starts))
    members, starts, ends = members[order], starts[order], ends[order]
    covered = float(np.clip(ends - starts, 0, None).sum())
    if covered < _MIN_COVERED * length or any(
        unicodedata.bidirectional(layer.text[index]) in ("R", "AL") for index in members
    ):
        return None
    words = _split_words(layer.text, members, starts, ends, height)
    spans = tuple(
        WordSpan(
            unicodedata.normalize("NFC", "".join(layer.text[members[place]] for place in word)),
            1.0,
            float(np.clip(starts[word[0]] / length, 0, 1)),
            float(np.clip(max(ends[place] for place in word) / length, 0, 1)),
        )
        for word in words
    )
    return LineText(" ".join(span.text for span in spans), 1.0, words=spans, from_layer=True)


def _project(quad: FloatArray, boxes: FloatArray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Where boxes begin and end along a line, and the line's length and height."""
    corners = [boxes[:, [x, y]] for x in (0, 2) for y in (1, 3)]
    measured = [_measure_in_line(quad, corner) for corner in corners]
    along = np.stack([one[0] for one in measured])
    return along.min(axis=0), along.max(axis=0), measured[0][2], measured[0][3]


def _split_words(
    text: str, members: np.ndarray, starts: np.ndarray, ends: np.ndarray, height: float
) -> list[list[int]]:
    """Places of the members of each word, which a space of the layer or a gap divides."""
    words: list[list[int]] = [[0]]
    for place in range(1, len(members)):
        before, here = int(members[place - 1]), int(members[place])
        spaced = before < here and any(character.isspace() for character in text[before + 1 : here])
        if spaced or starts[place] - ends[place - 1] > _SPACE_GAP * height:
            words.append([])
        words[-1].append(place)
    return words


def _find_missed(layer: TextLayer, marks: np.ndarray, pixels: Image) -> list[tuple[FloatArray, np.ndarray]]:
    """Runs of characters that no line holds but the page shows, each with a quad around it."""
    runs: list[list[int]] = []
    for index in marks[~layer.hidden[marks]].tolist():
        if runs and _continues(layer.boxes[runs[-1][-1]], layer.boxes[index]):
            runs[-1].append(index)
        else:
            runs.append([index])
    found = []
    for run in runs:
        boxes = layer.boxes[run]
        box = (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())
        if any(layer.text[index].isalnum() for index in run) and _shows_ink(pixels, box):
            left, top, right, bottom = box
            quad = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
            found.append((quad, np.array(run)))
    return found


def _continues(before: FloatArray, after: FloatArray) -> bool:
    height = float(before[3] - before[1])
    level = abs(float(before[1] + before[3] - after[1] - after[3])) / 2 < 0.5 * height
    return level and -height < float(after[0] - before[2]) < _MAX_RUN_GAP * height


def _shows_ink(pixels: Image, box: tuple[float, ...]) -> bool:
    height, width = pixels.shape[:2]
    left, top = max(0, int(box[0])), max(0, int(box[1]))
    right, bottom = min(width, int(box[2]) + 1), min(height, int(box[3]) + 1)
    patch = pixels[top:bottom, left:right]
    return patch.size > 0 and int(patch.max()) - int(patch.min()) >= _MIN_CONTRAST

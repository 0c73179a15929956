"""Greedy CTC decoding (Graves et al., 2006), and where each character stood.

Texts and confidences are those of PaddleX's `CTCLabelDecode`: blanks dropped, repeats merged, the confidence
is the mean over the steps that are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deployments.document import FloatArray, WordSpan
from deployments.engines.base import StepClasses

_BLANK = 0


@dataclass(frozen=True)
class DecodedText:
    """A text with its confidence; ``steps`` and ``step_confidences`` have one entry a character."""

    text: str
    confidence: float
    steps: tuple[int, ...]
    step_confidences: tuple[float, ...]


def classify_steps(probabilities: FloatArray) -> StepClasses:
    """The likeliest class of each step, for float32 probabilities of shape (N, T, classes)."""
    best = probabilities.argmax(axis=2)
    return StepClasses(best, np.take_along_axis(probabilities, best[:, :, None], axis=2)[:, :, 0])


class CtcDecoder:
    """Maps class probabilities to text with a recogniser's alphabet (PaddleX adds the space at its end)."""

    def __init__(self, characters: Sequence[str]) -> None:
        self._characters = ["", *characters, " "]

    def decode(self, steps: StepClasses) -> list[DecodedText]:
        """One text a row of steps."""
        return [self._decode_row(*row) for row in zip(steps.best, steps.certainty, strict=True)]

    def _decode_row(self, best: np.ndarray, certainty: np.ndarray) -> DecodedText:
        kept = best != _BLANK
        kept[1:] &= best[1:] != best[:-1]
        steps = np.flatnonzero(kept)
        if not steps.size:
            return DecodedText("", 0.0, (), ())
        confidences = certainty[steps]
        return DecodedText(
            "".join(self._characters[index] for index in best[steps]),
            float(confidences.mean()),
            tuple(steps.tolist()),
            tuple(confidences.tolist()),
        )


def place_characters(decoded: DecodedText, step_share: float) -> tuple[float, ...]:
    """The middle of each character as a share (0 to 1) of the crop's width, to a step's precision."""
    # An alphabet may have entries of several characters: then nobody knows which stands where.
    if len(decoded.steps) != len(decoded.text):
        return ()
    return tuple(round(min((step + 0.5) * step_share, 1.0), 5) for step in decoded.steps)


def split_words(decoded: DecodedText, step_share: float) -> tuple[WordSpan, ...]:
    """The words of a decoded line; ``step_share`` is the share of the crop's width that one step covers.

    Words end at white space; an ideograph, kana or the like is a word of its own, because those scripts put
    no space between words (PaddleOCR's `return_word_box` does the same).
    """
    groups = _group_characters(decoded.text)
    centres = [(step + 0.5) * step_share for step in decoded.steps]
    pitch = _mean_pitch(centres)
    spans = []
    for position, (start, end) in enumerate(groups):
        left = centres[start] - pitch / 2
        right = centres[end - 1] + pitch / 2
        # Neighbours share the gap between them: boxes of two words never overlap.
        if position:
            left = max(left, (centres[groups[position - 1][1] - 1] + centres[start]) / 2)
        if position + 1 < len(groups):
            right = min(right, (centres[end - 1] + centres[groups[position + 1][0]]) / 2)
        confidence = sum(decoded.step_confidences[start:end]) / (end - start)
        spans.append(
            WordSpan(decoded.text[start:end], confidence, min(max(left, 0.0), 1.0), min(max(right, 0.0), 1.0))
        )
    return tuple(spans)


def _mean_pitch(centres: Sequence[float]) -> float:
    if len(centres) < 2:
        return 1.0
    return (centres[-1] - centres[0]) / (len(centres) - 1)


def _group_characters(text: str) -> list[tuple[int, int]]:
    """Index ranges of the words in a text."""
    groups: list[tuple[int, int]] = []
    start: int | None = None
    for index, character in enumerate(text):
        alone = _stands_alone(character)
        if start is not None and (alone or character.isspace()):
            groups.append((start, index))
            start = None
        if alone:
            groups.append((index, index + 1))
        elif start is None and not character.isspace():
            start = index
    if start is not None:
        groups.append((start, len(text)))
    return groups


def _stands_alone(character: str) -> bool:
    """Whether a character belongs to a script written without spaces (CJK ideographs, kana, bopomofo)."""
    code = ord(character)
    return 0x2E80 <= code <= 0x312F or 0x31A0 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or code >= 0x20000

"""CTC decoding and words."""

import numpy as np
import pytest

from deployments.models.ctc import CtcDecoder, DecodedText, classify_steps, place_characters, split_words

LETTERS = "abc"


def spell(steps: str, confidence: float = 0.9) -> np.ndarray:
    """(1, T, classes) probabilities: one letter a step, "-" for blank, "_" for a space."""
    classes = "-" + LETTERS + "_"
    rows = np.zeros((1, len(steps), len(classes)), np.float32)
    for index, letter in enumerate(steps):
        rows[0, index, classes.index(letter)] = confidence
    return rows


@pytest.mark.parametrize(
    ("steps", "text"), [("aab-b", "abb"), ("---", ""), ("a_a", "a a"), ("-aaa-", "a"), ("abc", "abc")]
)
def test_repeats_are_merged_and_blanks_dropped(steps: str, text: str) -> None:
    """The rule of CTC: a letter counts again only after a blank."""
    assert CtcDecoder(LETTERS).decode(classify_steps(spell(steps)))[0].text == text


def test_confidence_is_the_mean_over_kept_steps() -> None:
    """Blanks and repeats do not count."""
    rows = spell("a-b")
    rows[0, 2] *= 0.5
    assert CtcDecoder(LETTERS).decode(classify_steps(rows))[0].confidence == pytest.approx((0.9 + 0.45) / 2)


def test_nothing_read_has_no_confidence() -> None:
    """An empty text is not a certain one."""
    assert CtcDecoder(LETTERS).decode(classify_steps(spell("--")))[0].confidence == 0.0


def decoded(text: str) -> DecodedText:
    """A text whose characters stand one a step."""
    return DecodedText(text, 0.9, tuple(range(len(text))), (0.9,) * len(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("two words", ["two", "words"]),
        ("총액 12,000원", ["총액", "12,000원"]),
        ("中文ab", ["中", "文", "ab"]),
        ("", []),
        (" a ", ["a"]),
    ],
)
def test_words_end_at_spaces_and_ideographs_stand_alone(text: str, words: list[str]) -> None:
    """Latin and Korean have spaces; Han characters and kana are words of their own."""
    assert [word.text for word in split_words(decoded(text), 0.1)] == words


def test_words_lie_in_order_and_do_not_overlap() -> None:
    """Their shares of the line rise and stay within it."""
    words = split_words(decoded("a bc 中文 d"), 1 / 10)
    edges = [edge for word in words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert edges[0] >= 0.0
    assert edges[-1] <= 1.0


def test_characters_are_placed_by_the_steps_that_they_were_read_at() -> None:
    """As shares of the crop's width."""
    decoded = DecodedText("ab", 0.9, (0, 3), (0.9, 0.9))
    assert place_characters(decoded, 0.1) == (0.05, 0.35)
    assert place_characters(DecodedText("abc", 0.9, (0, 3), (0.9, 0.9)), 0.1) == ()

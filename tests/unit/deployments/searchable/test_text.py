"""The text of a page as runs."""

import numpy as np

from deployments.blocks import Block
from deployments.document import Line, Page, Word
from deployments.searchable.text import lay_out_page

from .conftest import read_truth


def make_line(text: str, left: float, *words: tuple[str, float, float]) -> Line:
    """A level line, ten pixels high, with words from and to the given places."""

    def quad(start: float, end: float) -> np.ndarray:
        return np.array([[start, 0], [end, 0], [end, 10], [start, 10]], np.float32)

    return Line(text, 0.9, quad(left, 100), tuple(Word(word, 0.9, quad(*place)) for word, *place in words))


def test_put_together_the_runs_of_a_line_are_its_text(fixture_name: str) -> None:
    """Spaces where the line has them, none between ideographs."""
    page = read_truth(fixture_name)
    text = "".join(run.text for run in lay_out_page(page).runs)
    assert text == "".join(line.text for line in page.lines)


def test_a_space_fills_what_lies_between_two_words() -> None:
    """From the end of one to the start of the other."""
    first, space, second = lay_out_page(
        Page(1, 100, 10, 0, (make_line("ab cd", 0, ("ab", 0, 30), ("cd", 45, 80)),))
    ).runs
    assert (first.text, space.text, second.text) == ("ab", " ", "cd")
    assert space.quad[:, 0].tolist() == [30, 45, 45, 30]
    assert second.quad[0].tolist() == [45, 0]


def test_words_that_touch_still_have_a_space_between_them() -> None:
    """A narrow one."""
    _, space, _ = lay_out_page(Page(1, 100, 10, 0, (make_line("a b", 0, ("a", 0, 50), ("b", 48, 80)),))).runs
    assert space.quad[1, 0] > space.quad[0, 0]


def test_characters_that_nothing_divides_leave_no_gap() -> None:
    """Readers of PDF files would see a space in it."""
    first, second = lay_out_page(
        Page(1, 100, 10, 0, (make_line("停水", 0, ("停", 0, 20), ("水", 30, 50)),))
    ).runs
    assert first.quad[1].tolist() == second.quad[0].tolist() == [30, 0]


def test_words_that_are_not_the_lines_text_are_not_used() -> None:
    """Then the line is one run."""
    for words in ((("x", 0, 10),), (("ab", 0, 30),), ()):
        (run,) = lay_out_page(Page(1, 100, 10, 0, (make_line("ab cd", 0, *words),))).runs
        assert run.text == "ab cd"


def test_runs_follow_the_blocks() -> None:
    """Blocks first, in their order, then what no block holds."""
    lines = tuple(make_line(text, 0) for text in "abcd")
    blocks = (
        Block("text", (0, 0, 1, 1), "d", (3,)),
        Block("list", (0, 0, 1, 1), "b\na", (1, 0)),
    )
    page = Page(1, 100, 10, 0, lines, blocks=blocks)
    assert [run.text for run in lay_out_page(page).runs] == ["d", "b", "a", "c"]

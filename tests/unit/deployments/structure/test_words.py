"""The text of a page down to its words."""

import numpy as np
import pytest

from deployments.blocks import Block, Table, TableCell
from deployments.document import Line, Page, Word
from deployments.structure.words import group_lines, order_lines_of_page, place_words

QUAD = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], np.float32)
BOX = (0.0, 0.0, 10.0, 10.0)


def make_line(text: str, *words: str) -> Line:
    return Line(text, 0.8, QUAD, tuple(Word(word, 0.9, QUAD) for word in words) or None)


@pytest.mark.parametrize(
    ("line", "placed"),
    [
        (make_line("one two", "one", "two"), [("one", False), ("two", True)]),
        (make_line("停水 通", "停", "水", "通"), [("停", False), ("水", False), ("通", True)]),
        (make_line(" one  two ", "one", "two"), [("one", False), ("two", True)]),
        (make_line("a a", "a", "a"), [("a", False), ("a", True)]),
    ],
)
def test_words_know_whether_a_space_stands_before_them(line: Line, placed: list[tuple[str, bool]]) -> None:
    """As the line has it."""
    assert [(word.word.text, word.spaced) for word in place_words(line)] == placed


@pytest.mark.parametrize(
    "line",
    [
        make_line("one two"),
        make_line("one two", "one"),
        make_line("one two", "two"),
        make_line("one two", "two", "one"),
        make_line("one two", "one", "x", "two"),
    ],
)
def test_a_line_whose_words_are_not_its_text_is_one_word(line: Line) -> None:
    """Nothing that was read gets lost, and nothing comes to it."""
    (placed,) = place_words(line)
    assert (placed.word.text, placed.word.confidence) == ("one two", 0.8)


def test_the_lines_of_a_block_stand_in_paragraphs() -> None:
    """Items of a list, cells of a table and what is in none, else one."""
    lines = tuple(map(make_line, ["1. one", "goes on", "2. two", "left", "right", "beside"]))
    cells = (
        TableCell(0, 0, 1, 1, False, "right", BOX, (4,)),
        TableCell(0, 1, 1, 1, False, "left", BOX, (3,)),
    )
    page = Page(1, 9, 9, 0, lines, tables=(Table(1, 2, cells, BOX, 0.9),))
    assert group_lines(Block("list", BOX, "", (0, 1, 2)), page) == [[0, 1], [2]]
    assert group_lines(Block("table", BOX, "", (3, 4, 5), table=0), page) == [(4,), (3,), [5]]
    assert group_lines(Block("text", BOX, "", (1, 0)), page) == [(1, 0)]
    assert group_lines(Block("figure", BOX, ""), page) == []


def test_every_line_has_its_place() -> None:
    """Those of blocks first, each once."""
    lines = tuple(map(make_line, "abcd"))
    page = Page(1, 9, 9, 0, lines, blocks=(Block("text", BOX, "", (2, 1)), Block("figure", BOX, "")))
    assert order_lines_of_page(page) == [2, 1, 0, 3]

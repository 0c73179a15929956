"""From lines to running text."""

import pytest

from deployments.structure.paragraphs import is_list, join_lines, split_items


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["The first line", "and the second."], "The first line and the second."),
        (["a docu-", "ment of two"], "a document of two"),
        (["the years 1990-", "1995 were"], "the years 1990- 1995 were"),
        (["Jean-", "Paul"], "Jean- Paul"),
        (["漢字の文", "章です。"], "漢字の文章です。"),
        (["문서를 읽는", "서비스입니다."], "문서를 읽는 서비스입니다."),
        (["中文 and", "English"], "中文 and English"),
        (["  blanks  ", "", "vanish "], "blanks vanish"),
        ([], ""),
    ],
)
def test_lines_become_a_paragraph(lines: list[str], text: str) -> None:
    """Divided words are joined; Chinese and Japanese have no space at a line's end, Korean has."""
    assert join_lines(lines) == text


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["• one", "• two"], True),
        (["1. one", "2. two"], True),
        (["(a) one", "(b) two"], True),
        (["가. 하나", "나. 둘"], True),
        (["- one", "goes on", "- two"], True),
        (["One sentence.", "Another one."], False),
        (["1. A numbered heading"], False),
        (["3.5 percent of", "2.1 million"], False),
        (["A. Smith wrote", "this paper."], False),
    ],
)
def test_lists_are_told_from_paragraphs(lines: list[str], expected: bool) -> None:
    """A list has at least two items, and begins with one."""
    assert is_list(lines) is expected


def test_a_line_without_a_mark_belongs_to_the_item_before() -> None:
    """Items may have several lines."""
    assert split_items(["- one", "goes on", "- two"]) == [[0, 1], [2]]

"""From lines to running text."""

import re
from collections.abc import Iterator

import pytest

from deployments.structure.joining import collect_words, join_lines

from paths import ROOT


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["The first line", "and the second."], "The first line and the second."),
        (["a docu-", "ment of two"], "a document of two"),
        (["a well-", "known fact"], "a well-known fact"),
        (["state-of-the-", "art work"], "state-of-the-art work"),
        (["the years 1990-", "1995 were"], "the years 1990-1995 were"),
        (["Jean-", "Paul"], "Jean-Paul"),
        (["a dash -", "and more"], "a dash - and more"),
        (["soft\u00ad", "ly"], "softly"),
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


def test_the_page_itself_tells_what_a_hyphen_is() -> None:
    """A word that stands elsewhere in one piece was divided; one with its hyphen was not."""
    elsewhere = collect_words(
        ["so the cooperation was good", "and its counter-argument was bad", "x wellspring y"]
    )
    assert join_lines(["the co-", "operation of"], elsewhere) == "the cooperation of"
    assert join_lines(["the counter-", "argument of"], elsewhere) == "the counter-argument of"
    assert join_lines(["the well-", "spring of"], elsewhere) == "the wellspring of"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        # A particle, an ending, a word that can hardly end here, one that ends here.
        (["우리 마을", "은 작다"], "우리 마을은 작다"),
        (["신문을 읽는 사람", "들이 많다"], "신문을 읽는 사람들이 많다"),
        (
            ["아침 아홉 시가 되면 사서가 문을 열", "고 물을 준다"],
            "아침 아홉 시가 되면 사서가 문을 열고 물을 준다",
        ),
        (["할아버지들은 같은 자리에", "앉아 있다"], "할아버지들은 같은 자리에 앉아 있다"),
    ],
)
def test_full_korean_lines_may_end_inside_a_word(lines: list[str], text: str) -> None:
    """Then the words decide."""
    assert join_lines(lines, divides_words=True) == text


def test_a_korean_word_that_stands_elsewhere_was_divided() -> None:
    """The page's own words come before all rules."""
    words = collect_words(["그 도서관에서 읽었다", "또 큰 책상 옆에"])
    assert join_lines(["마을 도서", "관에서 만났다"], words) == "마을 도서관에서 만났다"
    assert join_lines(["아주 큰", "책상 하나"], words, divides_words=True) == "아주 큰 책상 하나"


def read_korean() -> list[str]:
    """The paragraphs of the Korean readme, without markup."""
    text = re.sub(r"```.*?```", "", (ROOT / "README.ko.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    paragraphs = (
        " ".join(re.sub(r"[`*\[\]]|\(http[^)]*\)", "", part).split())
        for part in re.split(r"\n\s*\n", text)
        if "|" not in part and not part.startswith("#")
    )
    return [paragraph for paragraph in paragraphs if len(re.findall("[가-힣]", paragraph)) > 40]


def break_lines(paragraph: str, width: int) -> Iterator[tuple[str, str, bool]]:
    """Line ends between Hangul: what stands before and after, and whether a space belongs there."""
    for place in range(width, len(paragraph), width):
        before, after = paragraph[:place], paragraph[place : place + width]
        spaced = before.endswith(" ") or after.startswith(" ")
        before, after = before[-width:].strip(), after.strip()
        if before and after and re.match("[가-힣]{2}", before[-1] + after[0]):
            yield before, after, spaced


def test_most_line_ends_inside_and_between_korean_words_are_told_apart() -> None:
    """Lines broken at any letter, in widths of 18 to 45: better than always or never a space."""
    ends = [end for text in read_korean() for width in range(18, 46, 3) for end in break_lines(text, width)]
    right = [
        join_lines([before, after], divides_words=True)[len(before)] == " "
        if spaced
        else join_lines([before, after], divides_words=True) == before + after
        for before, after, spaced in ends
    ]
    assert len(ends) > 150
    assert 0.4 < sum(spaced for *_, spaced in ends) / len(ends) < 0.6
    assert sum(right) / len(right) > 0.8

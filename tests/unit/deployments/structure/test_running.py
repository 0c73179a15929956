"""Running heads and feet, and page numbers."""

import pytest

from deployments.blocks import BlockKind
from deployments.document import Page
from deployments.structure.running import is_page_number, mark_running

from .conftest import make_page

BODY: list[tuple[BlockKind, str, float]] = [
    ("text", "Some words of the page.", 300),
    ("text", "More of them.", 600),
]


def kinds(page: Page) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in page.blocks]


def test_what_stands_on_several_pages_is_no_part_of_the_text() -> None:
    """The same words at the same height, numbers aside; first and last in the order, without a level."""
    pages = [
        make_page(
            number,
            ("text", f"Chapter {number} begins", 200),
            ("heading", "The Journal of Mills", 40),
            ("text", f"Vol. 3, page {number}", 955),
            *BODY,
        )
        for number in (1, 2, 3)
    ]
    for number, page in enumerate(mark_running(pages), 1):
        found = kinds(page)
        assert found[0] == ("header", "The Journal of Mills")
        assert found[-1] == ("footer", f"Vol. 3, page {number}")
        assert ("text", f"Chapter {number} begins") in found
        assert len(found) == 5
        assert page.blocks[0].level is None


def test_small_errors_of_the_reader_do_no_harm() -> None:
    """Most of the words are equal; others are not."""
    heads = ("The Journal of Tide Mills", "The Joumal of Tide Mills", "Something else entirely")
    pages = mark_running([make_page(n, ("text", head, 40), *BODY) for n, head in enumerate(heads, 1)])
    assert [page.blocks[0].kind for page in pages] == ["header", "header", "text"]


def test_what_stands_on_one_page_alone_is_text() -> None:
    """Nor is it a running head at another height, in the middle of the page, or in large letters."""
    one = [make_page(1, ("text", "The Journal of Mills", 40), *BODY), make_page(2, *BODY)]
    other = [make_page(n, ("text", "The Journal of Mills", 40 + 30 * n), *BODY) for n in (1, 2)]
    middle = [make_page(n, ("text", "The Journal of Mills", 450), *BODY) for n in (1, 2)]
    for pages in (one, other, middle):
        assert all(block.kind == "text" for page in mark_running(pages) for block in page.blocks)


@pytest.mark.parametrize(
    "text", ["7", "- 7 -", "Page 7 of 12", "7 / 12", "p. 7", "xiv", "제 7 쪽", "7쪽", "第7頁"]
)
def test_page_numbers_are_known(text: str) -> None:
    """However they are written."""
    assert is_page_number(text)


@pytest.mark.parametrize("text", ["22.55", "Total 7", "mill", "7 8 9", "12345", "", "A 7"])
def test_other_numbers_are_not(text: str) -> None:
    """Amounts, lists, words."""
    assert not is_page_number(text)


def test_the_number_of_a_single_page_stands_at_its_edge() -> None:
    """Outside all of its text, and alone; a number elsewhere is text."""
    (page,) = mark_running([make_page(1, ("text", "7", 955), *BODY)])
    assert kinds(page)[-1] == ("footer", "7")
    (page,) = mark_running([make_page(1, ("text", "7", 30), *BODY)])
    assert kinds(page)[0] == ("header", "7")
    for blocks in (
        [("text", "7", 450), *BODY],
        [("text", "7", 955), ("text", "8", 975), *BODY],
        [("text", "7", 940), ("text", "The end of the page.", 970), *BODY],
        [("text", "7", 955)],
    ):
        (page,) = mark_running([make_page(1, *blocks)])
        assert ("text", "7") in kinds(page)


def test_pages_that_were_not_read_change_nothing() -> None:
    """They have no blocks."""
    pages = [make_page(1, ("text", "Head", 40), *BODY), Page(2), make_page(3, ("text", "Head", 40), *BODY)]
    assert [page.blocks[0].kind for page in mark_running(pages) if page.blocks] == ["header", "header"]
    assert mark_running([]) == []

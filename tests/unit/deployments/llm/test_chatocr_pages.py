"""What of a document PP-ChatOCRv4 is shown, and where it stands."""

import numpy as np

from deployments.blocks import Block, Table, TableCell
from deployments.document import Line, Page
from deployments.llm.chatocr_pages import show_pages

QUAD = np.zeros((4, 2), np.float32)
AMPLE_BYTES = 100_000.0


def make_page(*texts: str, blocks: tuple[Block, ...] = (), tables: tuple[Table, ...] = ()) -> Page:
    """A page with these lines."""
    return Page(
        1, 100, 100, lines=tuple(Line(text, 1.0, QUAD) for text in texts), blocks=blocks, tables=tables
    )


def make_table(*texts: str, first_line: int = 0) -> Table:
    """A table of one row, a line in each cell."""
    cells = [
        TableCell(0, place, 1, 2, False, text, (0, 0, 1, 1), (first_line + place,))
        for place, text in enumerate(texts)
    ]
    return Table(1, len(cells), tuple(cells), (0, 0, 1, 1), 0.9)


def test_lines_without_blocks_are_text() -> None:
    """In their order, with white space closed up, and nothing that could end a fence."""
    (page,) = show_pages([make_page("one   two", "```three", "4")], AMPLE_BYTES, 0).pages
    assert page["normal_text_dict"] == {"words in text": "one two\n '''three\n 4"}
    assert page["table_html_list"] == []


def test_lines_have_the_kind_of_their_block() -> None:
    """Those of no block come last, and each comes once."""
    blocks = (Block("header", (0, 0, 1, 1), "", (2,)), Block("title", (0, 0, 1, 1), "", (0, 2, 9)))
    (page,) = show_pages([make_page("a", "b", "c", blocks=blocks)], AMPLE_BYTES, 0).pages
    assert page["normal_text_dict"] == {
        "words in header": "c",
        "words in title": "a",
        "words in text": "b",
    }


def test_tables_are_html_and_not_text() -> None:
    """Their letters cannot be taken for tags."""
    page = make_page("a", "<b>", "c", tables=(make_table("a", "<b>"),))
    (shown,) = show_pages([page], AMPLE_BYTES, 0).pages
    assert shown["normal_text_dict"] == {"words in text": "c"}
    assert shown["table_html_list"] == [
        '<table><tr><td colspan="2">a</td><td colspan="2">&lt;b&gt;</td></tr></table>'
    ]
    assert len(shown["table_text_list"]) == len(shown["table_nei_text_list"]) == 1


def test_what_is_too_long_or_too_many_for_tables_is_text() -> None:
    """PP-ChatOCRv4 would pass over a long table; each table is a request of its own."""
    long = make_page("x" * 4000, tables=(make_table("x" * 4000),))
    pages = [long, *(make_page("a", tables=(make_table("a"),)) for _ in range(10))]
    shown = show_pages(pages, AMPLE_BYTES, 0).pages
    assert [len(page["table_html_list"]) for page in shown] == [0, *[1] * 8, 0, 0]
    assert [len(page["normal_text_dict"]) for page in shown] == [1, *[0] * 8, 1, 1]


def test_the_end_of_a_long_document_is_left_out() -> None:
    """In bytes, with those that are told about each table; lines of a table that costs too much are text."""
    pages = [make_page("가나다", "라마바", tables=(make_table("가나다"),)), make_page("사")]
    shown = show_pages(pages, 14.0, 1000)
    assert shown.is_cut
    assert [page["normal_text_dict"] for page in shown.pages] == [{"words in text": "가나다"}]
    assert shown.pages[0]["table_html_list"] == []

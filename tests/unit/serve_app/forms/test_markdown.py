"""Documents as Markdown."""

import dataclasses

import pytest

from deployments.blocks import Block, Picture
from deployments.document import Document, Page
from serve_app.forms.markdown import write_document, write_page

from .conftest import BOX, make_table


def test_a_document_becomes_markdown(document: Document) -> None:
    """Headings, text, lists and tables; running headers and footers go, a failed page leaves a note."""
    assert write_document(document) == (
        "# A \\<title\\>\n\n"
        "Five \\* stars & 1 \\< 2.\n\n"
        "## 2. Results\n\n"
        "- one\n- two\n\n"
        "| a | b\\|c |\n| --- | --- |\n| =1+1 | -5 |\n\n"
        "*Table 1*\n\n"
        "<!-- page 2: malformed_pdf -->\n\n"
        "\\# no heading"
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1. no list", "1\\. no list"),
        ("12) no list", "12\\) no list"),
        ("- no item", "\\- no item"),
        ("3.5 percent", "3.5 percent"),
        ("a_b [c]", "a\\_b \\[c\\]"),
        ("C:\\path", "C:\\\\path"),
    ],
)
def test_text_that_looks_like_markup_stays_text(text: str, written: str) -> None:
    """What stands on the paper is shown as it stands there."""
    assert write_page(Page(1, blocks=(Block("text", BOX, text),))) == written


def test_numbered_items_keep_their_numbers() -> None:
    """The marks of the paper become Markdown's."""
    page = Page(1, blocks=(Block("list", BOX, "3) three\n4) four"),))
    assert write_page(page) == "3. three\n4. four"


def test_items_stand_as_deep_as_on_paper() -> None:
    """Marks that only say that an item begins go; letters, which Markdown does not have, stay."""
    text = "1) one\n  - deep\n    ㅇ deeper\n  가. letter\n[2] two"
    written = "1. one\n    - deep\n        - deeper\n    - 가. letter\n2. two"
    assert write_page(Page(1, blocks=(Block("list", BOX, text),))) == written


def test_a_table_with_spans_is_html(document: Document) -> None:
    """Markdown's own tables know none."""
    table = make_table("a", "b", "c", column_span=2)
    page = dataclasses.replace(document.pages[0], blocks=(Block("table", BOX, "", table=0),), tables=(table,))
    assert write_page(page).startswith('<table><tbody><tr><td colspan="2">a</td>')


@pytest.mark.parametrize(
    ("kind", "text", "written"),
    [
        ("figure", "", "![figure](data:image/png;base64,YWI=)"),
        ("figure", "1 * 2", "![figure](data:image/png;base64,YWI=)\n\n1 \\* 2"),
        ("formula", "E = mc", "![formula](data:image/png;base64,YWI=)"),
    ],
)
def test_a_picture_stands_where_its_block_does(kind: str, text: str, written: str) -> None:
    """With what was read in a figure behind it; without pictures, that alone."""
    page = Page(1, blocks=(Block(kind, BOX, text, picture=Picture("image/png", b"ab", 1, 1)),))
    assert write_page(page) == written
    assert write_page(page, pictures=False) == text.replace("*", "\\*")


def test_a_formula_that_was_read_is_display_mathematics() -> None:
    """As it is, nothing escaped, and without its picture."""
    block = Block("formula", BOX, "a_{1} * b", latex="a_{1} * b", picture=Picture("image/png", b"ab", 1, 1))
    assert write_page(Page(1, blocks=(block,))) == "$$\na_{1} * b\n$$"

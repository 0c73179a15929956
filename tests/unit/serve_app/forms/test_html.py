"""Documents and tables as HTML."""

import pytest
from lxml import html

from deployments.blocks import Block, Picture
from deployments.document import Document, Page
from serve_app.forms.html import write_html, write_table

from .conftest import BOX, make_table


def test_a_document_becomes_html(document: Document) -> None:
    """An independent parser finds every part, and the text as it was."""
    tree = html.document_fromstring(write_html(document))
    assert tree.findtext(".//h1") == "A <title>"
    assert tree.findtext(".//h2") == "2. Results"
    assert [item.text for item in tree.iter("li")] == ["one", "two"]
    assert [cell.text for cell in tree.iter("td")] == ["a", "b|c", "=1+1", "-5"]
    assert tree.findtext("head/title") == "A <title>"
    assert [page.get("data-page") for page in tree.iter("article")] == ["1", "2", "3"]
    assert tree.find(".//article[@data-error='malformed_pdf']") is not None


def test_spans_and_heads_are_kept() -> None:
    """A head of whole rows is a thead."""
    written = write_table(make_table("a", "b", "c", columns=1, is_header=True, row_span=1))
    assert written == (
        "<table><thead><tr><th>a</th></tr></thead>"
        "<tbody><tr><td>b</td></tr><tr><td>c</td></tr></tbody></table>"
    )


def test_text_is_never_markup() -> None:
    """A cell may hold anything that was printed."""
    assert "<script>" not in write_table(make_table("<script>alert(1)</script>", "x\ny"))
    assert "x<br>y" in write_table(make_table("a", "x\ny"))


@pytest.mark.parametrize(("kind", "text"), [("figure", "1 < 2"), ("formula", "")])
def test_a_picture_stands_in_its_block(kind: str, text: str) -> None:
    """As a data URI, with what was read in a figure behind it."""
    block = Block(kind, BOX, "1 < 2", picture=Picture("image/png", b"ab", 1, 1))
    tree = html.document_fromstring(write_html(Document((Page(1, blocks=(block,)),), 1)))
    (image,) = tree.iter("img")
    assert (image.get("src"), image.get("alt")) == ("data:image/png;base64,YWI=", kind)
    assert tree.find(".//article").text_content().strip() == text


def test_items_that_stand_deeper_are_lists_inside_items() -> None:
    """Numbers and letters stay; marks that only say that an item begins go."""
    text = "1. one\n  - deep & deeper\n2. two"
    page = Page(1, blocks=(Block("list", BOX, text),))
    tree = html.document_fromstring(write_html(Document((page,), 1)))
    outer = tree.find(".//article/ul")
    assert [item.text for item in outer.findall("li")] == ["1. one", "2. two"]
    assert [item.text for item in outer.findall("li/ul/li")] == ["deep & deeper"]


def test_a_formula_that_was_read_is_display_mathematics() -> None:
    """Between the delimiters that MathJax and KaTeX look for, as text."""
    block = Block("formula", BOX, "a < b", latex="a < b")
    tree = html.document_fromstring(write_html(Document((Page(1, blocks=(block,)),), 1)))
    assert tree.find(".//article").text_content().strip() == "\\[a < b\\]"


def test_the_lines_of_a_seal_stand_below_each_other() -> None:
    """In a figure, which a seal is."""
    written = write_html(Document((Page(1, blocks=(Block("seal", BOX, "SEOUL\n2026"),)),), 1))
    assert "<figure>SEOUL<br>2026</figure>" in written

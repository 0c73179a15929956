"""Documents as hOCR."""

import io

import numpy as np
import pytest
from hocr_tools_lib.tools.hocr_check import Checker
from hocr_tools_lib.utils.node_utils import get_bbox, get_prop
from lxml import etree, html

from deployments.blocks import Block
from deployments.document import Document, Line, Page, ReadOptions, Word
from serve_app.forms.hocr import write_hocr

from .conftest import BOX, make_line


def parse(document: Document) -> html.HtmlElement:
    """As a program that reads HTML sees it; a program that reads XML must be able to."""
    data = write_hocr(document)
    etree.fromstring(data)
    return html.document_fromstring(data)


def find(tree: html.HtmlElement, name: str) -> list[html.HtmlElement]:
    return tree.xpath(f"//*[@class='{name}']")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_another_projects_checks_find_no_fault(
    placed: Document, number: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """Those of hocr-tools: what the head says, what holds what, and that boxes do not overlap.

    Page by page, because its check of the boxes lays all pages of a file on each other.
    """
    for document, no_overlap in ((placed, True), (Document((placed.pages[number - 1],), 1), False)):
        checker = Checker(io.BytesIO(write_hocr(document)), no_overlap)
        checker.check()
        report = capfd.readouterr().err
        assert checker.test_counter > 4
        assert "not ok" not in report, report


def test_a_checker_that_finds_nothing_would_be_none(capfd: pytest.CaptureFixture[str]) -> None:
    """A file without its pages is found out."""
    Checker(io.StringIO("<html><head></head><body><p>text</p></body></html>")).check()
    assert "not ok" in capfd.readouterr().err


def test_words_stand_in_reading_order_with_their_places(placed: Document) -> None:
    """Boxes in pixels, confidences in hundredths, as another project's functions read them."""
    tree = parse(placed)
    words = find(tree, "ocrx_word")
    assert [word.text for word in words] == [
        *("A", "<title>", "1.", "one", "2.", "two", "left", "right", "over", "in", "picture"),
        "停",
        "水",
    ]
    assert tuple(get_bbox(words[0])) == (10, 20, 20, 40)
    assert get_prop(words[0], "x_wconf") == "90"
    lines = [line.text_content().strip() for line in find(tree, "ocr_line")]
    assert lines == ["A <title>", "1. one", "2. two", "left", "right", "over", "in picture", "停水"]


def test_the_head_names_what_the_body_has(placed: Document) -> None:
    """Every class that is used, the number of pages and the language."""
    tree = parse(Document(placed.pages, 3, options=ReadOptions(lang="korean")))
    meta = {element.get("name"): element.get("content") for element in tree.iter("meta")}
    used = {element.get("class") for element in tree.iter() if element.get("class")}
    assert used <= set(meta["ocr-capabilities"].split())
    assert meta["ocr-number-of-pages"] == "3"
    assert tree.get("lang") == meta["ocr-langs"] == "ko"
    assert meta["ocr-system"].startswith("ocr-serve ")


def test_an_unknown_language_is_not_named(placed: Document) -> None:
    """Nobody said which."""
    assert parse(placed).get("lang") is None


def test_blocks_are_of_their_kinds(placed: Document) -> None:
    """Items of a list and cells of a table are paragraphs."""
    first, failed, _ = find(parse(placed), "ocr_page")
    assert get_prop(first, "bbox") == "0 0 400 500"
    assert get_prop(first, "ppageno") == "0"
    kinds = [block.get("class") for block in first.iterchildren("div")]
    assert kinds == ["ocr_carea", "ocr_carea", "ocr_table", "ocr_image", "ocr_image", "ocr_display"]
    assert len(first.xpath(".//*[@class='ocr_table']/p")) == 3
    assert failed.get("data-error") == "malformed_pdf"


@pytest.mark.parametrize(
    ("quad", "angle"),
    [
        ([[50, 300], [50, 100], [80, 100], [80, 300]], "90"),
        ([[80, 100], [80, 300], [50, 300], [50, 100]], "-90"),
        ([[0, 10], [100, 0], [101, 20], [1, 30]], "5.7"),
        ([[0, 0], [300, 1], [300, 21], [0, 20]], None),
    ],
)
def test_a_line_that_leans_says_how_far(quad: list[list[float]], angle: str | None) -> None:
    """Anticlockwise, in degrees."""
    line = Line("text", 0.9, np.array(quad, np.float32))
    page = Page(1, 400, 400, 0, (line,), blocks=(Block("text", BOX, "text", (0,)),))
    (element,) = find(parse(Document((page,), 1)), "ocr_line")
    assert get_prop(element, "textangle") == angle


@pytest.mark.parametrize("text", ["a\x00b", "\x1b", "\ufffe", "\ud800", "<script>&amp;"])
def test_whatever_was_read_can_be_parsed(text: str) -> None:
    """As XML and as HTML."""
    line = make_line(text, 0, 0, Word(text, 0.9, make_line("", 0, 0).quad))
    page = Page(1, 400, 400, 0, (line,), blocks=(Block("text", BOX, text, (0,)),))
    (word,) = find(parse(Document((page,), 1)), "ocrx_word")
    for character in ("\x00", "\x1b", "\ufffe", "\ud800"):
        text = text.replace(character, "\ufffd")
    assert word.text == text

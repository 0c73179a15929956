"""Documents as ALTO 4."""

import dataclasses

import numpy as np
import pytest
from lxml import etree

from deployments.blocks import Block
from deployments.document import Document, Line, Page, ReadOptions, StageInfo, Word
from serve_app.forms.alto import write_alto

from .conftest import BOX, make_line
from paths import FIXTURES

NAMES = {"a": "http://www.loc.gov/standards/alto/ns-v4#"}
STAGE = StageInfo("detection", "PP-OCRv6_small_det", "v6", "ab" * 32, "fake", "1", "CPU", "f32")


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    """The official one."""
    return etree.XMLSchema(etree.parse(FIXTURES.parent / "schemas" / "alto-4-2.xsd"))


def parse(document: Document, schema: etree.XMLSchema) -> etree._Element:
    tree = etree.fromstring(write_alto(document))
    schema.assertValid(tree)
    return tree


def find_words(tree: etree._Element) -> list[str]:
    return [word.get("CONTENT") for word in tree.iterfind(".//a:String", NAMES)]


def test_every_kind_of_block_is_valid(placed: Document, schema: etree.XMLSchema) -> None:
    """Titles, lists, tables, figures with and without text, pages that failed."""
    document = dataclasses.replace(placed, models=(STAGE,), options=ReadOptions(lang="ch"))
    tree = parse(document, schema)
    first, failed, last = tree.iterfind(".//a:Page", NAMES)
    assert (first.get("WIDTH"), first.get("HEIGHT"), first.get("PHYSICAL_IMG_NR")) == ("400", "500", "1")
    assert (failed.get("QUALITY"), failed.get("QUALITY_DETAIL")) == ("Damaged", "malformed_pdf")
    assert last.find("a:PrintSpace", NAMES) is not None
    assert {block.get("LANG") for block in tree.iterfind(".//a:TextBlock", NAMES)} == {"zh"}
    assert "PP-OCRv6_small_det" in tree.findtext(".//a:processingStepDescription", None, NAMES)


def test_words_stand_in_reading_order_with_their_places(placed: Document, schema: etree.XMLSchema) -> None:
    """All words of all lines; spaces where the lines have them."""
    tree = parse(placed, schema)
    assert find_words(tree) == [
        *("A", "<title>", "1.", "one", "2.", "two", "left", "right", "over", "in", "picture"),
        "停",
        "水",
    ]
    title = tree.find(".//a:TextLine", NAMES)
    assert [etree.QName(child).localname for child in title] == ["String", "SP", "String"]
    assert dict(title[0].attrib) == {
        "ID": "p1_l1_w1",
        "CONTENT": "A",
        "HPOS": "10",
        "VPOS": "20",
        "WIDTH": "10",
        "HEIGHT": "20",
        "WC": "0.9000",
    }
    ideographs = tree.findall(".//a:TextLine", NAMES)[-1]
    assert [etree.QName(child).localname for child in ideographs] == ["String", "String"]


def test_a_block_says_what_it_is_and_which_one_follows(placed: Document, schema: etree.XMLSchema) -> None:
    """By the order of the elements and by IDNEXT."""
    tree = parse(placed, schema)
    labels = {tag.get("ID"): tag.get("LABEL") for tag in tree.iterfind(".//a:LayoutTag", NAMES)}
    blocks = tree.findall(".//a:Page[1]/a:PrintSpace/*", NAMES)
    kinds = [labels[block.get("TAGREFS")] for block in blocks]
    assert kinds == ["title", "list", "table", "figure", "figure", "formula"]
    names = [block.get("ID") for block in blocks]
    assert [block.get("IDNEXT") for block in blocks] == [*names[1:], None]
    elements = [etree.QName(block).localname for block in blocks]
    assert elements == [
        *("TextBlock", "ComposedBlock", "ComposedBlock", "Illustration", "ComposedBlock"),
        "GraphicalElement",
    ]


def test_a_table_has_a_block_for_each_cell_with_text(placed: Document, schema: etree.XMLSchema) -> None:
    """And one for the text that is in no cell."""
    table = parse(placed, schema).find(".//a:ComposedBlock[@TYPE='table']", NAMES)
    assert [find_words(cell) for cell in table.iterfind("a:TextBlock", NAMES)] == [
        ["left"],
        ["right"],
        ["over"],
    ]


def test_a_line_that_leans_has_its_outline(schema: etree.XMLSchema) -> None:
    """A box alone would not say how it lies."""
    quad = np.array([[50, 300], [50, 100], [80, 100], [80, 300]], np.float32)
    page = Page(1, 400, 400, 0, (Line("up", 0.9, quad),), blocks=(Block("text", BOX, "up", (0,)),))
    polygon = parse(Document((page,), 1), schema).find(".//a:TextLine/a:Shape/a:Polygon", NAMES)
    assert polygon.get("POINTS") == "50,300 50,100 80,100 80,300"


@pytest.mark.parametrize(
    "text", ["a\x00b", "\x1b[0m", "\ufffe", "\ud800", "<&>\"'", "𠮷", "]]>", "tab\there"]
)
def test_whatever_was_read_can_be_parsed(text: str, schema: etree.XMLSchema) -> None:
    """What XML has no way to write is replaced; all else comes back."""
    line = make_line(text, 0, 0, Word(text, 1.2, make_line("", 0, 0).quad))
    page = Page(1, 400, 400, 0, (line,), blocks=(Block("text", BOX, text, (0,)),))
    (word,) = find_words(parse(Document((page,), 1), schema))
    broken = ("\x00", "\x1b", "\ufffe", "\ud800")
    for character in broken:
        text = text.replace(character, "\ufffd")
    assert word == text


def test_a_document_without_any_text_is_valid(schema: etree.XMLSchema) -> None:
    """An empty page is a page."""
    tree = parse(Document((Page(1, 10, 10),), 1), schema)
    assert find_words(tree) == []

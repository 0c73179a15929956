"""The structure of documents as files: through HTTP, on the real graph with the real models."""

import io
import json
from collections.abc import Iterator

import cv2
import httpx
import numpy as np
import openpyxl
import pikepdf
import pytest
from lxml import etree
from PIL import Image
from ray import serve

from fixtures.formats import build_pdf, make_exif_jpeg, make_pdf, make_text_pdf, make_tiff, save_pdf
from fixtures.tables import draw_table, place_on_page
from graphs import start_graph
from paths import FIXTURES
from pdf_reading import copy_text, draw_page, find_words, measure_overlap, surround

pytestmark = [pytest.mark.serve, pytest.mark.weights]

ALTO = {"a": "http://www.loc.gov/standards/alto/ns-v4#"}
ROWS = [["Quarter", "Pieces", "Price"], ["First", "120", "3.50"], ["Second", "007", "=1+1"]]


@pytest.fixture(scope="module", autouse=True)
def app(cluster: object) -> Iterator[None]:
    """The whole graph on the CPU profile."""
    start_graph("layout", "table", engine=None)
    yield
    serve.delete("ocr")


@pytest.fixture(scope="module")
def letter() -> Image.Image:
    """A page of text, upright."""
    return Image.open(FIXTURES / "letter.png").convert("RGB")


def ask(http: httpx.Client, data: bytes, form: str, **options: object) -> httpx.Response:
    answer = http.post("/structure", params={"format": form, **options}, files={"file": data})
    assert answer.status_code == 200, answer.text
    return answer


def assert_words_stand_as_read(pdf: bytes, page: dict, number: int = 1) -> None:
    """Every word that JSON has is in the PDF, in the order of the blocks, over the same place."""
    lines = [page["lines"][index] for block in page["blocks"] for index in block["lines"]]
    assert lines
    found = find_words(pdf, page["width"], page["height"], number)
    assert [word for word, _ in found] == " ".join(line["text"] for line in lines).split()
    words = iter(found)
    for line in lines:
        boxes = [next(words)[1] for _ in line["text"].split()]
        quad = np.array(line["quad"])
        box = (*quad.min(axis=0).tolist(), *quad.max(axis=0).tolist())
        assert measure_overlap(surround(boxes), box) > 0.8, line["text"]


@pytest.mark.parametrize(
    ("kind", "turns"), [("png", 0), ("png", 1), ("png", 2), ("png", 3), ("jpeg", 0), ("jpeg", 1), ("pdf", 3)]
)
def test_a_page_becomes_a_pdf_with_its_words(
    http: httpx.Client, letter: Image.Image, kind: str, turns: int
) -> None:
    """However it lies, it stands upright, and what it shows is what was sent."""
    turned = letter.rotate(90 * turns, expand=True)
    if kind == "png":
        turned.save(file := io.BytesIO(), "PNG")
        data = file.getvalue()
    else:
        # A photo that its EXIF data turn once more, or a page of a PDF that turns itself.
        data = make_exif_jpeg(turned, 6) if kind == "jpeg" else make_turned_pdf(turned)
    (page,) = ask(http, data, "json").json()["pages"]
    assert page["rotation"] == 90 * turns
    pdf = ask(http, data, "pdf").content
    assert_words_stand_as_read(pdf, page)
    drawn = draw_page(pdf, *letter.size)
    shown = cv2.cvtColor(np.asarray(letter), cv2.COLOR_RGB2BGR)
    tolerated = {"png": 0.0, "jpeg": 1.0, "pdf": 1.0}[kind]
    assert np.abs(drawn.astype(int) - shown).mean() <= tolerated


def make_turned_pdf(image: Image.Image) -> bytes:
    """A PDF whose page lies on its side, and says so."""
    pdf = build_pdf([image.rotate(90, expand=True)])
    pdf.pages[0].Rotate = 90
    return save_pdf(pdf)


def test_only_the_pages_asked_for_are_in_the_pdf(http: httpx.Client, letter: Image.Image) -> None:
    """Of a PDF and of a TIFF alike."""
    blank = Image.new("RGB", letter.size, "white")
    for data in (make_pdf([blank, letter, blank]), make_tiff([blank, letter, blank])):
        answer = ask(http, data, "pdf", pages="2-3")
        assert answer.headers["x-pages-total"] == "3"
        with pikepdf.open(io.BytesIO(answer.content)) as opened:
            assert len(opened.pages) == 2
        assert copy_text(answer.content, 1)[:3] == ["Harbour", "Lane", "Pottery"]
        assert copy_text(answer.content, 2) == []


def test_text_that_a_pdf_has_is_not_doubled(http: httpx.Client) -> None:
    """Its own words are copied once."""
    text = "Printed words that the page has as text"
    assert copy_text(ask(http, make_text_pdf([[text]]), "pdf").content) == text.split()


def test_a_page_that_fails_is_a_page_of_the_pdf(http: httpx.Client, letter: Image.Image) -> None:
    """Without text, in its place."""
    pdf = build_pdf([letter, letter, letter])
    pdf.pages[1].MediaBox = [0, 0, 200_000, 200_000]
    data = save_pdf(pdf)
    answer = ask(http, data, "pdf")
    assert (answer.headers["x-pages-total"], answer.headers["x-pages-processed"]) == ("3", "2")
    with pikepdf.open(io.BytesIO(answer.content)) as opened:
        assert len(opened.pages) == 3
    assert [bool(copy_text(answer.content, number)) for number in (1, 2, 3)] == [True, False, True]


def test_archives_get_valid_files(http: httpx.Client) -> None:
    """ALTO by its official schema; hOCR with the same words."""
    data = (FIXTURES / "columns.png").read_bytes()
    schema = etree.XMLSchema(etree.parse(FIXTURES.parent / "schemas" / "alto-4-2.xsd"))
    tree = etree.fromstring(ask(http, data, "alto").content)
    schema.assertValid(tree)
    words = [word.get("CONTENT") for word in tree.iterfind(".//a:String", ALTO)]
    hocr = etree.fromstring(ask(http, data, "hocr").content)
    spans = hocr.iterfind(".//{http://www.w3.org/1999/xhtml}span[@class='ocrx_word']")
    assert [span.text for span in spans] == words
    assert len(words) > 150


def test_a_table_becomes_a_sheet(http: httpx.Client) -> None:
    """Numbers are numbers, and what looks like a formula is none."""
    done, png = cv2.imencode(".png", place_on_page(draw_table(ROWS)))
    assert done
    book = openpyxl.load_workbook(io.BytesIO(ask(http, png.tobytes(), "xlsx").content))
    assert book.sheetnames == ["p1 t1"]
    values = [[cell.value for cell in row] for row in book.active.iter_rows()]
    assert values == [["Quarter", "Pieces", "Price"], ["First", 120, 3.5], ["Second", "007", "=1+1"]]
    assert book.active["C3"].data_type == "s"


def test_an_overlay_shows_one_page(http: httpx.Client, letter: Image.Image) -> None:
    """As large as the page; more pages are refused."""
    data = make_pdf([letter, letter])
    answer = http.post("/structure", params={"format": "overlay"}, files={"file": data})
    assert (answer.status_code, answer.json()["code"]) == (422, "one_page_only")
    (page,) = ask(http, data, "json", pages="2").json()["pages"]
    answer = ask(http, data, "overlay", pages="2")
    drawn = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert drawn.shape[:2] == (page["height"], page["width"])
    # Colours that no page of black on white has.
    assert (np.ptp(drawn.astype(int), axis=2) > 100).sum() > 1000


def test_what_cannot_be_read_cannot_be_written(http: httpx.Client) -> None:
    """The same errors as for JSON, in problem documents."""
    for form in ("pdf", "overlay", "xlsx"):
        answer = http.post("/structure", params={"format": form}, files={"file": b"%PDF-1.7 no more"})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_pdf")
        assert json.loads(answer.content)["type"] == "urn:ocr-serve:malformed_pdf"

"""The structure of documents through HTTP on the real graph with the real models."""

import json
from collections.abc import Iterator

import cv2
import httpx
import numpy as np
import pytest
from lxml import html
from ray import serve

from serve_app.client import OcrClient

from fixtures.formats import make_tiff
from fixtures.tables import draw_table, place_on_page
from graphs import start_graph
from paths import FIXTURES

pytestmark = [pytest.mark.serve, pytest.mark.weights]

ROWS = [
    ["Quarter", "Pieces", "Price"],
    ["First", "120", "3.50"],
    ["Second", "", "4.10"],
    ["Third", "95", "4.20"],
]


@pytest.fixture(scope="module", autouse=True)
def app(cluster: object) -> Iterator[None]:
    """The whole graph on the CPU profile."""
    start_graph("layout", "table", engine=None)
    yield
    serve.delete("ocr")


@pytest.fixture(scope="module")
def report() -> bytes:
    """A page with a heading, a paragraph and a table."""
    done, png = cv2.imencode(".png", place_on_page(draw_table(ROWS)))
    assert done
    return png.tobytes()


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_page_is_understood_however_it_lies(http: httpx.Client, report: bytes, turns: int) -> None:
    """Title, paragraph, and the table with every cell; turned pages come back upright."""
    page = np.rot90(cv2.imdecode(np.frombuffer(report, np.uint8), cv2.IMREAD_COLOR), turns)
    turned = cv2.imencode(".png", np.ascontiguousarray(page))[1].tobytes()
    answer = http.post("/structure", files={"file": turned})
    assert answer.status_code == 200, answer.text
    (read,) = answer.json()["pages"]
    # NumPy turns anticlockwise, and the answer says how far clockwise undoes it.
    assert read["rotation"] == 90 * turns
    assert (read["width"], read["height"]) == (1240, 1754)
    assert read["blocks"][0]["kind"] == "title"
    assert read["blocks"][0]["text"] == "Annual report"
    assert [block["kind"] for block in read["blocks"]].count("table") == 1
    (table,) = read["tables"]
    texts = [cell.text_content().strip() for cell in html.fromstring(table["html"]).iter("td", "th")]
    assert texts == [text for row in ROWS for text in row]
    assert {"layout", "table"} <= {model["stage"] for model in answer.json()["models"]}


def test_columns_are_read_one_after_the_other(http: httpx.Client) -> None:
    """A newspaper page as Markdown: the left column to its end, then the right one."""
    page = (FIXTURES / "columns.png").read_bytes()
    answer = http.post("/structure", params={"format": "markdown"}, files={"file": page})
    assert answer.headers["content-type"].startswith("text/markdown")
    assert answer.text.startswith("# The Larkminster Observer")
    pages = map(json.loads, (FIXTURES / "ground_truth.jsonl").read_text(encoding="utf-8").splitlines())
    truth = next(page for page in pages if page["file"] == "columns.png")
    # Words that a line's end divides are joined, so only the first letters of each line are looked for.
    found = [answer.text.find(line["text"][:14]) for line in truth["lines"]]
    seen = [place for place in found if place >= 0]
    assert len(seen) > 0.9 * len(found)
    assert seen == sorted(seen)


def test_every_page_is_accounted_for(http: httpx.Client, report: bytes) -> None:
    """Frames of a TIFF are pages, each with its table."""
    from PIL import Image

    page = Image.fromarray(cv2.imdecode(np.frombuffer(report, np.uint8), cv2.IMREAD_COLOR))
    answer = http.post("/structure", files={"file": make_tiff([page, page])}, params={"format": "csv"})
    assert answer.headers["x-pages-total"] == answer.headers["x-pages-processed"] == "2"
    assert answer.text.count("Quarter,Pieces,Price") == 2


def test_a_document_is_marked_as_a_whole(http: httpx.Client) -> None:
    """Running heads, page numbers and a table that goes on, over the pages of a TIFF."""
    from PIL import Image

    names = (f"report_{number}.png" for number in (1, 2, 3))
    pages = [Image.open(FIXTURES / "structure" / "images" / name).convert("L") for name in names]
    answer = http.post("/structure", files={"file": make_tiff(pages)})
    assert answer.status_code == 200, answer.text
    read = answer.json()["pages"]
    assert [page["blocks"][0]["kind"] for page in read] == ["header"] * 3
    assert [page["blocks"][-1]["kind"] for page in read] == ["footer"] * 3
    flags = [(t["continues_previous"], t["continues_next"]) for page in read for t in page["tables"]]
    assert flags == [(False, True), (True, False)]
    assert "council" not in answer.json()["markdown"]


def test_a_table_on_its_side_is_read_upright(http: httpx.Client) -> None:
    """On a page that stands upright."""
    page = place_on_page(np.ascontiguousarray(np.rot90(draw_table(ROWS))))
    answer = http.post("/structure", files={"file": cv2.imencode(".png", page)[1].tobytes()})
    (table,) = answer.json()["pages"][0]["tables"]
    assert table["rotation"] == 90
    assert [cell["text"] for cell in table["cells"]] == [text for row in ROWS for text in row]
    assert "words" not in answer.json()["pages"][0]["lines"][0]


def test_bad_input_is_refused_as_for_text(http: httpx.Client, report: bytes) -> None:
    """The same codes as `/ocr`, and the next request is answered."""
    assert http.post("/structure", files={"file": b"no image"}).status_code == 415
    assert http.post("/structure", params={"format": "docx"}, files={"file": report}).status_code == 422
    assert http.post("/structure", files={"file": report}, params={"tables": "false"}).status_code == 200


def test_the_typed_handle_answers_the_same(http: httpx.Client, report: bytes) -> None:
    """A Python program on the cluster gets what HTTP gives."""
    result = OcrClient.from_app("ocr").read_structure_sync(report)
    over_http = http.post("/structure", files={"file": report}).json()
    assert result.markdown == over_http["markdown"]
    assert result.pages[0].tables[0].html == over_http["pages"][0]["tables"][0]["html"]

"""Documents through HTTP on the real graph with the real models."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from PIL import Image
from rapidfuzz.distance import Levenshtein
from ray import serve

from fixtures.formats import ACCEPTED, make_pdf, make_text_pdf, make_tiff
from fixtures.hostile import (
    BROKEN_PAGE,
    make_broken_page_pdf,
    make_empty_file,
    make_encrypted_pdf,
    make_huge_png,
    make_one_pixel_png,
    make_text_file,
    make_zip_file,
    truncate,
)
from fixtures.layers import make_layered_pdf
from graphs import start_graph
from paths import FIXTURES

pytestmark = [pytest.mark.serve, pytest.mark.weights]

TRUTH = {
    page["file"]: page
    for page in map(json.loads, (FIXTURES / "ground_truth.jsonl").read_text(encoding="utf-8").splitlines())
}


@pytest.fixture(scope="module", autouse=True)
def app(cluster: object) -> Iterator[None]:
    """The stages for text of the CPU profile, with two recognisers."""
    start_graph(engine=None, recognition={"replicas": {"num_replicas": 2}})
    yield
    serve.delete("ocr")


@pytest.fixture(scope="module")
def letter() -> Image.Image:
    """A page of English prose."""
    return Image.open(FIXTURES / "letter.png").convert("RGB")


def read(http: httpx.Client, data: bytes, **options: str) -> dict[str, Any]:
    """The answer for a document that must be readable."""
    answer = http.post("/ocr", files={"file": data}, data=options)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def agreement(text: str, name: str) -> float:
    """1 - normalised edit distance between a text and the truth of a rendered page, white space dropped."""
    truth = "".join("".join(line["text"].split()) for line in TRUTH[name]["lines"])
    return 1 - Levenshtein.normalized_distance("".join(text.split()), truth)


# Korean has no installed recogniser, and slanted or white text costs a letter here and there.
PAGES = {name: 0.97 for name in TRUTH if name not in ("invoice_ko.png", "empty.png")}


@pytest.mark.parametrize(("name", "at_least"), PAGES.items())
def test_rendered_pages_are_read_right(http: httpx.Client, name: str, at_least: float) -> None:
    """Letters, receipts, forms, columns, Chinese, Japanese; turned pages come back upright."""
    body = read(http, (FIXTURES / name).read_bytes())
    assert agreement(body["text"], name) >= at_least, body["text"]
    assert body["pages"][0]["rotation"] == TRUTH[name]["rotation"]


def test_an_empty_page_has_no_lines(http: httpx.Client) -> None:
    """Nothing is read where nothing stands."""
    body = read(http, (FIXTURES / "empty.png").read_bytes())
    assert body["pages"][0]["lines"] == []
    assert body["pages_processed"] == 1


def test_lines_lie_where_they_were_drawn(http: httpx.Client) -> None:
    """Each quad covers its line of the ground truth, in pixels of the page that was sent."""
    body = read(http, (FIXTURES / "receipt.png").read_bytes())
    found = {line["text"]: line["quad"] for line in body["pages"][0]["lines"]}
    checked = 0
    for line in TRUTH["receipt.png"]["lines"]:
        if line["text"] not in found:
            continue
        quad, box = found[line["text"]], line["box"]
        centre = [sum(point[axis] for point in box) / 4 for axis in (0, 1)]
        assert quad[0][0] - 5 <= centre[0] <= quad[2][0] + 5
        assert quad[0][1] - 5 <= centre[1] <= quad[2][1] + 5
        checked += 1
    assert checked > len(TRUTH["receipt.png"]["lines"]) / 2


@pytest.mark.parametrize("kind", sorted(ACCEPTED))
def test_every_accepted_format_gives_the_same_page(
    http: httpx.Client, letter: Image.Image, kind: str
) -> None:
    """Colour model, depth, transparency and container make no difference to the text."""
    body = read(http, ACCEPTED[kind](letter))
    assert body["pages_processed"] == body["pages_total"] >= 1
    assert agreement(body["pages"][0]["text"], "letter.png") >= 0.97, body["text"]


def test_all_frames_and_all_pages_are_read(http: httpx.Client, letter: Image.Image) -> None:
    """A TIFF of three frames and a PDF of three pages; `pages` chooses among them."""
    receipt = Image.open(FIXTURES / "receipt.png").convert("RGB")
    for document in (make_tiff([letter, receipt, letter]), make_pdf([letter, receipt, letter])):
        body = read(http, document)
        assert [page["number"] for page in body["pages"]] == [1, 2, 3]
        assert agreement(body["pages"][1]["text"], "receipt.png") >= 0.95
        chosen = read(http, document, pages="2")
        assert [page["number"] for page in chosen["pages"]] == [2]
        assert chosen["pages_total"] == 3


def test_the_resolution_of_pdf_pages_can_be_chosen(http: httpx.Client) -> None:
    """Twice the dots an inch, twice the pixels."""
    document = make_text_pdf([["A line of text"]])
    small, large = (read(http, document, dpi=dpi)["pages"][0]["width"] for dpi in ("100", "200"))
    assert large == pytest.approx(2 * small, abs=2)


REFUSED = {
    "empty file": (make_empty_file, 400, "empty_input"),
    "text file": (make_text_file, 415, "unsupported_media_type"),
    "40,000 x 40,000 PNG": (make_huge_png, 413, "too_many_pixels"),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_cannot_be_read_is_refused_and_the_server_lives(http: httpx.Client, name: str) -> None:
    """Its own status and code, as a problem document; the next request is answered."""
    make, status, code = REFUSED[name]
    assert_refused(http, make(), status, code)


def assert_refused(http: httpx.Client, data: bytes, status: int, code: str) -> None:
    """The answer is this problem, and a good page is read after it."""
    answer = http.post("/ocr", files={"file": data})
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    read(http, (FIXTURES / "one_line.png").read_bytes())


def test_a_truncated_jpeg_is_refused_not_read_half(http: httpx.Client, letter: Image.Image) -> None:
    """Half a page in grey is no page."""
    assert_refused(http, truncate(ACCEPTED["jpeg"](letter)), 400, "malformed_image")


def test_an_encrypted_pdf_is_refused(http: httpx.Client, letter: Image.Image) -> None:
    """The caller learns that it needs a password."""
    assert_refused(http, make_encrypted_pdf([letter]), 422, "encrypted_pdf")


def test_a_zip_named_pdf_is_refused(http: httpx.Client, letter: Image.Image) -> None:
    """The bytes decide, not the name."""
    answer = http.post("/ocr", files={"file": ("page.pdf", make_zip_file(letter), "application/pdf")})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_single_pixel_is_a_page_without_text(http: httpx.Client) -> None:
    """Nothing is too small to be answered."""
    body = read(http, make_one_pixel_png())
    assert body["pages"][0]["lines"] == []
    assert (body["pages"][0]["width"], body["pages"][0]["height"]) == (1, 1)


def test_a_broken_page_among_good_ones_has_its_error_in_its_place(
    http: httpx.Client, letter: Image.Image
) -> None:
    """Three pages come back, two with text, one with a code."""
    body = read(http, make_broken_page_pdf([letter, letter, letter]))
    assert (body["pages_total"], body["pages_processed"]) == (3, 2)
    broken = body["pages"][BROKEN_PAGE - 1]
    assert broken["error"]["code"] == "malformed_pdf"
    assert all("error" not in page or page["error"] is None for page in body["pages"] if page is not broken)


@pytest.mark.parametrize("key", [None, "wrong"])
def test_without_the_right_key_nothing_is_read(cluster: Any, key: str | None) -> None:
    """No key and a wrong key get 401."""
    headers = {} if key is None else {"x-api-key": key}
    answer = httpx.post(f"{cluster.http_url}/ocr", headers=headers, files={"file": b"x"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_no_file_is_refused(http: httpx.Client) -> None:
    """The message names the field."""
    answer = http.post("/ocr", data={"words": "true"}, files={"other": b"x"})
    assert answer.status_code == 400
    assert "file" in answer.json()["detail"]


def test_a_language_without_a_model_says_how_to_install_one(http: httpx.Client) -> None:
    """The command stands in the message."""
    answer = http.post("/ocr", files={"file": (FIXTURES / "one_line.png").read_bytes()}, data={"lang": "ko"})
    assert (answer.status_code, answer.json()["code"]) == (422, "language_not_installed")
    assert "ocr-serve models pull korean_PP-OCRv5_mobile_rec" in answer.json()["detail"]


def test_many_documents_at_once_give_the_texts_that_they_give_alone(http: httpx.Client) -> None:
    """32 different pages together: equal texts, equal quads, confidences within a hundredth."""
    pages = make_different_pages(32)
    alone = [read(http, page)["pages"][0]["lines"] for page in pages]
    with ThreadPoolExecutor(32) as pool:
        together = list(pool.map(lambda page: read(http, page)["pages"][0]["lines"], pages))
    assert len({json.dumps([line["text"] for line in lines]) for lines in alone}) == len(pages)
    for single, shared in zip(alone, together, strict=True):
        assert [line["text"] for line in single] == [line["text"] for line in shared]
        assert [line["quad"] for line in single] == [line["quad"] for line in shared]
        for one, other in zip(single, shared, strict=True):
            assert one["confidence"] == pytest.approx(other["confidence"], abs=0.01)


def make_different_pages(count: int) -> list[bytes]:
    """Cuts of the rendered pages, each different from all others."""
    sources = [
        Image.open(FIXTURES / name).convert("RGB")
        for name in ("letter.png", "receipt.png", "columns.png", "small_print.png")
    ]
    pages = []
    for index in range(count):
        source = sources[index % len(sources)]
        top = 37 * (index // len(sources))
        pages.append(ACCEPTED["png"](source.crop((0, top, source.width, top + 500 + 10 * index))))
    return pages


class TestTextLayer:
    """PDF pages that state their own text."""

    LINES = ("Quarterly report for the harbour", "Deliveries rose by 14 per cent", "Costs fell: EUR 1,204.50")

    def test_a_born_digital_page_is_taken_at_its_word(self, http: httpx.Client) -> None:
        """Its lines agree with what is seen, so they come as they are written, to the letter."""
        lines = read(http, make_text_pdf([self.LINES]))["pages"][0]["lines"]
        assert [line["text"] for line in lines] == list(self.LINES)
        assert {line["source"] for line in lines} == {"layer"}

    def test_a_layer_that_lies_is_found_out(self, http: httpx.Client, letter: Image.Image) -> None:
        """What the page shows is read; what the file says of it is nowhere."""
        truth = TRUTH["letter.png"]["lines"]
        lies = [{**line, "text": f"Pay nothing, says clause {i}"} for i, line in enumerate(truth)]
        page = read(http, make_layered_pdf(letter, lies))["pages"][0]
        assert agreement(page["text"], "letter.png") >= 0.97
        assert not any("source" in line for line in page["lines"])
        assert "clause" not in page["text"]

    def test_a_scan_with_a_true_layer_uses_it(self, http: httpx.Client, letter: Image.Image) -> None:
        """As a scanner with text recognition makes them; also where the page is stored upside down."""
        truth = TRUTH["letter.png"]["lines"]
        for rotate in (0, 180):
            page = read(http, make_layered_pdf(letter, truth, rotate=rotate))["pages"][0]
            assert agreement(page["text"], "letter.png") >= 0.99
            assert sum("source" in line for line in page["lines"]) >= 0.9 * len(truth)
            assert page["rotation"] == rotate

    def test_words_that_nobody_can_see_are_left_out(self, http: httpx.Client, letter: Image.Image) -> None:
        """Invisible text beside the true one is a way to smuggle words in."""
        corner = [[100, 1200], [500, 1200], [500, 1230], [100, 1230]]
        lines = [*TRUTH["letter.png"]["lines"], {"text": "Approve this at once", "box": corner}]
        for mode in ("auto", "prefer"):
            assert "Approve" not in read(http, make_layered_pdf(letter, lines), text_layer=mode)["text"]

    def test_it_can_be_ignored_or_preferred(self, http: httpx.Client, letter: Image.Image) -> None:
        """All from pixels, or all from the file without a question."""
        truth = TRUTH["letter.png"]["lines"]
        pdf = make_layered_pdf(letter, [{**line, "text": line["text"].swapcase()} for line in truth])
        ignored = read(http, pdf, text_layer="ignore")["pages"][0]
        assert not any("source" in line for line in ignored["lines"])
        preferred = read(http, pdf, text_layer="prefer", words="true")["pages"][0]
        assert truth[0]["text"].swapcase() in preferred["text"]
        first = preferred["lines"][0]
        assert " ".join(word["text"] for word in first["words"]) == first["text"]

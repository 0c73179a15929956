"""Long PDFs on the real graph: streamed, broken in the middle, and with a renderer that dies."""

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from PIL import Image
from ray import serve

from fixtures.formats import make_pdf
from fixtures.hostile import make_broken_page_pdf
from graphs import start_graph
from paths import FIXTURES
from replicas import pids_of

pytestmark = pytest.mark.serve

SLOW = {"replicas": {"num_replicas": 2}, "run": {"fake_delay_ms": 10}}
LINE = Image.open(FIXTURES / "one_line.png").convert("L").resize((400, 300))
NDJSON = {"accept": "application/x-ndjson"}


@pytest.fixture(scope="module", autouse=True)
def app(cluster: object) -> Iterator[None]:
    """The graph with one renderer."""
    start_graph(recognition=SLOW)
    yield
    serve.delete("ocr")


def stream(http: httpx.Client, pdf: bytes, **headers: str) -> Iterator[dict]:
    """The events of a document as they come."""
    with http.stream("POST", "/ocr", files={"file": pdf}, headers={**NDJSON, **headers}) as answer:
        assert answer.status_code == 200, answer.read()
        for line in answer.iter_lines():
            yield json.loads(line)


def count_detected() -> float:
    """Pages that the only detector has looked at."""
    usage = serve.get_deployment_handle("Detection", "ocr").describe.remote().result(timeout_s=30).usage
    return usage["items"]


def test_two_hundred_pages_with_a_broken_one(http: httpx.Client) -> None:
    """199 pages and one error, each in its place."""
    answer = http.post("/ocr", files={"file": make_broken_page_pdf([LINE] * 200, broken_page=7)}).json()
    assert [page["number"] for page in answer["pages"]] == list(range(1, 201))
    assert {page["number"]: page["error"]["code"] for page in answer["pages"] if "error" in page} == {
        7: "malformed_pdf"
    }
    texts = {page["text"] for page in answer["pages"] if "error" not in page}
    assert len(texts) == 1
    assert texts != {""}
    assert (answer["pages_total"], answer["pages_processed"]) == (200, 199)


def test_the_first_page_comes_before_the_last_is_read(http: httpx.Client) -> None:
    """Through the proxy, which must not collect the answer."""
    before = count_detected()
    events = stream(http, make_pdf([LINE] * 150))
    assert next(events)["data"]["pages"] == "1-150"
    assert next(events)["id"] == 1
    assert count_detected() - before < 150
    rest = list(events)
    assert [event["id"] for event in rest[:-1]] == list(range(2, 151))
    assert rest[-1]["data"]["pages_processed"] == 150


def test_who_leaves_a_stream_stops_the_reading(http: httpx.Client) -> None:
    """The next document is read, and the pages behind the last one taken are not."""
    before = count_detected()
    events = stream(http, make_pdf([LINE] * 200))
    taken = [next(events) for _ in range(3)]
    assert taken[-1]["id"] == 2
    events.close()
    for _ in range(5):
        assert http.post("/ocr", files={"file": make_pdf([LINE] * 4)}).status_code == 200
    assert count_detected() - before < 200


def test_a_stream_goes_on_behind_the_last_page_that_came(http: httpx.Client) -> None:
    """With the text that the whole document has there."""
    pages = [LINE, LINE.transpose(Image.Transpose.FLIP_LEFT_RIGHT), LINE.resize((500, 300))]
    pdf = make_pdf(pages)
    whole = http.post("/ocr", files={"file": pdf}).json()["pages"]
    rest = [event for event in stream(http, pdf, **{"Last-Event-ID": "1"}) if event["event"] == "page"]
    assert [event["data"]["text"] for event in rest] == [page["text"] for page in whole[1:]]


def test_a_renderer_that_is_killed_loses_no_page_and_no_request(http: httpx.Client) -> None:
    """Kill -9 in the middle of a long document, while others come: its pages are drawn again elsewhere."""
    pdf, short = make_pdf([LINE] * 120), make_pdf([LINE] * 2)
    alone = http.post("/ocr", files={"file": short}).json()["text"]
    events = stream(http, pdf)
    seen = [next(events) for _ in range(5)]
    (renderer,) = pids_of("Renderer")
    with ThreadPoolExecutor(4) as pool:
        others = [pool.submit(http.post, "/ocr", files={"file": short}) for _ in range(8)]
        os.kill(renderer, signal.SIGKILL)
        seen += list(events)
        answers = [other.result() for other in others]
    assert [event["id"] for event in seen if event["event"] == "page"] == list(range(1, 121))
    assert seen[-1]["data"]["pages_failed"] == []
    assert [(answer.status_code, answer.json()["text"]) for answer in answers] == [(200, alone)] * 8

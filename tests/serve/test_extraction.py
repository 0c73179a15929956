"""Fields of documents on the real graph with the real models, and documents that are kept."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from ray import serve

from serve_app.client import OcrClient

from graphs import start_graph
from paths import FIXTURES

pytestmark = [pytest.mark.serve, pytest.mark.weights]


def start(**overrides: Any) -> None:
    """Run the graph on the CPU profile."""
    start_graph("documents", "extraction", engine=None, **overrides)


@pytest.fixture(scope="module", autouse=True)
def app(cluster: object) -> Iterator[None]:
    """The graph without the stages for structure."""
    start()
    yield
    serve.delete("ocr")


@pytest.fixture
def receipt() -> bytes:
    """A rendered receipt."""
    return (FIXTURES / "receipt.png").read_bytes()


def count_reads() -> tuple[float, float]:
    """Pages that the detector and pages' lines that the recogniser have answered."""
    handles = [serve.get_deployment_handle(name, "ocr") for name in ("Detection", "Recognition")]
    detection, recognition = (
        handle.describe.remote().result(timeout_s=30).usage["items"] for handle in handles
    )
    return detection, recognition


def without_accidents(result: dict[str, Any]) -> dict[str, Any]:
    """A result without ids and times."""
    return {
        name: value
        for name, value in result.items()
        if name not in ("request_id", "document_id", "timings_ms", "options")
    }


def test_a_receipt_has_its_fields(http: httpx.Client, receipt: bytes) -> None:
    """Each with its place on the page."""
    answer = http.post("/extraction", files={"file": receipt}, data={"document_type": "receipt"})
    assert answer.status_code == 200, answer.text
    fields = answer.json()["fields"]
    assert set(fields) == {
        *("company", "date", "time", "address", "phone", "business_number"),
        *("items", "subtotal", "tax", "total", "currency"),
    }
    total = fields["total"]
    assert isinstance(total["value"], int | float)
    assert total["quads"]
    assert total["line_ids"]


def test_extraction_after_ocr_reads_nothing_twice(http: httpx.Client, receipt: bytes) -> None:
    """By the id, and by the file again; with the result of one call."""
    at_once = http.post("/extraction", files={"file": receipt}, params={"dpi": 150}).json()
    read = http.post("/ocr", files={"file": receipt})
    before = count_reads()
    assert read.headers["x-document-id"] == read.json()["document_id"]
    by_id = http.post("/extraction", files={"document_id": (None, read.json()["document_id"])})
    by_file = http.post("/extraction", files={"file": receipt})
    assert (by_id.status_code, by_file.status_code) == (200, 200)
    assert count_reads() == before
    assert without_accidents(by_id.json()) == without_accidents(at_once)
    assert without_accidents(by_file.json()) == without_accidents(at_once)
    assert by_file.json()["document_id"] == read.json()["document_id"] != at_once["document_id"]
    assert "detection" not in by_id.json()["timings_ms"]


def test_other_options_are_another_reading(http: httpx.Client, receipt: bytes) -> None:
    """What was read otherwise is not passed off as this."""
    http.post("/ocr", files={"file": receipt})
    before = count_reads()
    http.post("/extraction", files={"file": receipt}, params={"det_thresh": 0.35})
    assert count_reads()[0] == before[0] + 1


def test_a_kept_document_is_lost_with_its_replica_and_nothing_else(
    http: httpx.Client, receipt: bytes
) -> None:
    """The id is not found any more, the file is read again."""
    document_id = http.post("/ocr", files={"file": receipt}).json()["document_id"]
    start(documents={"ttl_s": 60.0})
    answer = http.post("/extraction", files={"document_id": (None, document_id)})
    assert (answer.status_code, answer.json()["code"]) == (404, "document_not_found")
    assert http.post("/extraction", files={"file": receipt}).status_code == 200


def test_a_program_on_the_cluster_has_the_same(http: httpx.Client, receipt: bytes) -> None:
    """By the typed client; its documents are not those of callers over HTTP."""
    client = OcrClient.from_app("ocr")
    over_http = http.post("/extraction", files={"file": receipt}).json()
    read = client.read_sync(receipt)
    found = client.extract_sync(document_id=read.document_id, queries=["What is the total?"])
    assert found.fields["total"].value == over_http["fields"]["total"]["value"]
    assert found.answers["What is the total?"].text is not None
    stolen = http.post("/extraction", files={"document_id": (None, str(read.document_id))})
    assert stolen.status_code == 404


def test_a_graph_without_the_stage_says_so(http: httpx.Client, receipt: bytes) -> None:
    """And keeps no documents where it is told so."""
    start(extraction=None, documents=None)
    answer = http.post("/extraction", files={"file": receipt})
    assert (answer.status_code, answer.json()["code"]) == (422, "stage_not_installed")
    assert "document_id" not in http.post("/ocr", files={"file": receipt}).json()

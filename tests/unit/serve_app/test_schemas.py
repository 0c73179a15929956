"""What the service answers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from pydantic import BaseModel

from deployments.document import Document, Line, Page, PageError, ReadOptions, StageInfo, Word
from serve_app import schemas
from serve_app.schemas import OcrOptions, OcrResult

QUAD = np.array([[0.1, 0.005], [10.126, 0], [10, 5], [0, 5]], np.float32)
STAGE = StageInfo("recognition", "rec", "5", "ab" * 32, "openvino", "2025", "CPU", "bf16", ("en",))


def make_document(words: tuple[Word, ...] | None = None) -> Document:
    """Two pages of which the second failed."""
    line = Line("한글 text", 0.987654, QUAD, words)
    good = Page(1, 100, 50, 270, (line, line), stage_ms={"recognition": 3.25})
    bad = Page(2, error=PageError("malformed_pdf", "Page 2 cannot be drawn."))
    return Document((good, bad), 2, (STAGE,), {"recognition": 3.25, "total": 4.0})


def dump(document: Document, total_ms: float | None = None) -> dict[str, object]:
    """Parse the body of an answer, as a client does."""
    body: dict[str, object] = json.loads(
        OcrResult.from_document(document, OcrOptions(), "id-1", total_ms).to_json()
    )
    return body


def test_an_answer_holds_text_places_and_provenance() -> None:
    """Each part of the document has its place, with rounded numbers."""
    body = dump(make_document())
    assert body["request_id"] == "id-1"
    assert (body["pages_total"], body["pages_processed"]) == (2, 1)
    assert body["text"] == "한글 text\n한글 text"
    page = body["pages"][0]
    assert (page["number"], page["width"], page["height"], page["rotation"]) == (1, 100, 50, 270)
    assert page["lines"][0] == {
        "text": "한글 text",
        "confidence": 0.9877,
        "quad": [[0.1, 0.0], [10.13, 0.0], [10.0, 5.0], [0.0, 5.0]],
    }
    assert page["timings_ms"] == {"recognition": 3.25}
    assert body["models"] == [
        {
            "stage": "recognition",
            "model": "rec",
            "version": "5",
            "sha256": "ab" * 32,
            "engine": "openvino",
            "engine_version": "2025",
            "device": "CPU",
            "precision": "bf16",
        }
    ]
    assert body["timings_ms"] == {"recognition": 3.25, "total": 4.0}


def test_a_failed_page_says_why() -> None:
    """Its error has a code, a message, and the status that a whole request would have had."""
    error = dump(make_document())["pages"][1]["error"]
    assert error == {"code": "malformed_pdf", "message": "Page 2 cannot be drawn.", "status": 400}


def test_the_callers_total_wins_over_the_documents() -> None:
    """Over HTTP the total counts the upload too."""
    assert dump(make_document(), 12.3456)["timings_ms"]["total"] == 12.35


def test_words_are_there_only_when_asked_for() -> None:
    """A line without words has no such field, a line with none has an empty list."""
    assert "words" not in dump(make_document())["pages"][0]["lines"][0]
    assert dump(make_document(()))["pages"][0]["lines"][0]["words"] == []
    word = Word("text", 0.5, QUAD)
    assert dump(make_document((word,)))["pages"][0]["lines"][0]["words"][0]["text"] == "text"


def test_options_in_force_stand_in_the_answer() -> None:
    """Options that the profile decides are left out."""
    assert dump(make_document())["options"] == {
        "orientation": True,
        "direction": "auto",
        "words": False,
        "dpi": 200,
        "text_layer": "auto",
        "rec_score_thresh": 0.0,
    }


def test_an_answer_can_be_read_back() -> None:
    """A Python client may parse the body with the same schema."""
    body = OcrResult.from_document(make_document(), OcrOptions(pages="1-2"), "id-1").to_json()
    assert OcrResult.model_validate_json(body).to_json() == body


@pytest.mark.parametrize("name", schemas.__all__)
def test_every_field_has_a_description_and_an_example(name: str) -> None:
    """The schemas are the reference of the API."""
    schema: type[BaseModel] = getattr(schemas, name)
    for field_name, field in schema.model_fields.items():
        assert field.description, field_name
        assert field.examples, field_name


def test_what_the_request_left_open_is_answered_with_the_value_in_force() -> None:
    """The result can be reproduced on a server with another profile."""
    document = replace(make_document(), options=ReadOptions(det_thresh=0.25, det_limit_side_len=960))
    options = OcrResult.from_document(document, OcrOptions(det_thresh=0.5, pages="1-2"), "id-1").options
    assert (options.det_thresh, options.det_limit_side_len, options.pages) == (0.5, 960, "1-2")

"""Extracting fields over HTTP."""

import json

import httpx
import numpy as np
import pytest

from deployments.document import Line, Page

PNG = {"content": b"\x89PNG", "headers": {"content-type": "image/png"}}


def quad(top: float) -> np.ndarray:
    """A line's place."""
    return np.array([[10, top], [200, top], [200, top + 12], [10, top + 12]], np.float32)


@pytest.fixture(autouse=True)
def page(reader) -> None:
    """A page with a few labelled values."""
    texts = ("Order number: A-1042", "Date: 2026-11-03", "Total: 12.50")
    lines = tuple(Line(text, 0.99, quad(30.0 * place)) for place, text in enumerate(texts))
    reader.pages = (Page(1, 400, 300, 0, lines),)
    reader.keeps = True


@pytest.mark.parametrize("path", ["/extraction", "/v1/extraction"])
async def test_values_have_their_places(client: httpx.AsyncClient, path: str) -> None:
    """Text, quad and line of each."""
    answer = await client.post(path, **PNG)
    assert answer.status_code == 200
    found = next(field for name, field in answer.json()["fields"].items() if field["text"] == "A-1042")
    assert (found["line_ids"], found["page"], found["ungrounded"]) == ([0], 1, False)
    assert 10 < found["quads"][0][0][0] < found["quads"][0][1][0] <= 200
    assert answer.headers["x-document-id"] == answer.json()["document_id"]


async def test_a_schema_names_what_is_wanted(client: httpx.AsyncClient) -> None:
    """In the kinds that it asks for; what is not stated is null."""
    schema = {
        "type": "object",
        "properties": {
            "order_number": {"type": "string"},
            "total": {"type": "number"},
            "paid_on": {"type": "string", "title": "Payment date"},
        },
    }
    answer = await client.post("/extraction", data={"schema": json.dumps(schema)}, files={"file": b"\x89PNG"})
    assert answer.status_code == 200, answer.text
    fields = answer.json()["fields"]
    assert (fields["order_number"]["value"], fields["total"]["value"]) == ("A-1042", 12.5)
    assert (fields["paid_on"]["value"], fields["paid_on"]["source"]) == (None, "none")


async def test_questions_are_answered_from_labels(client: httpx.AsyncClient) -> None:
    """What is not found says that a language model might."""
    queries = ["What is the total?", "Who was the captain?"]
    answer = await client.post("/extraction", data={"queries": queries}, files={"file": b"\x89PNG"})
    assert answer.status_code == 200, answer.text
    answers = answer.json()["answers"]
    assert answers[queries[0]]["text"] == "12.50"
    assert answers[queries[1]]["value"] is None
    assert answer.json()["warnings"] == ["needs_llm"]


async def test_a_document_that_was_read_is_not_read_again(client: httpx.AsyncClient, reader) -> None:
    """By its id, or by the file; with the same result."""
    read = await client.post("/ocr", **PNG)
    document_id = read.json()["document_id"]
    by_id = await client.post("/extraction", files={"document_id": (None, document_id)})
    by_file = await client.post("/extraction", **PNG)
    assert (by_id.status_code, by_file.status_code) == (200, 200), by_id.text
    assert by_id.json()["fields"] == by_file.json()["fields"]
    assert by_id.json()["document_id"] == by_file.json()["document_id"] == document_id
    assert len(reader.calls) == 1


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"document_id": "doc_" + "0" * 32}, 404, "document_not_found"),
        ({"document_id": "../../etc"}, 422, "invalid_option"),
        ({"document_type": "poem"}, 422, "unknown_document_type"),
        ({"schema": "no json"}, 422, "invalid_schema"),
        ({"schema": "[]"}, 422, "invalid_schema"),
        ({"schema": '{"type": "object"}'}, 422, "invalid_schema"),
        ({"schema": '{"type": "nonsense"}'}, 422, "invalid_schema"),
        ({"schema": '{"properties": {"a": {"$ref": "https://example.com/x"}}}'}, 422, "invalid_schema"),
        ({"schema": '{"properties": {"a": {"$ref": "#"}}}'}, 422, "schema_too_deep"),
        ({"schema": '{"a":' * 500 + "1" + "}" * 500}, 422, "schema_too_deep"),
        ({"schema": "[" * 30_000}, 422, "invalid_schema"),
        ({"schema": json.dumps({"properties": {str(n): {} for n in range(201)}})}, 422, "schema_too_deep"),
        ({"queries": "[1, 2]"}, 422, "invalid_option"),
        ({"queries": json.dumps([f"What is {n}?" for n in range(21)])}, 422, "invalid_option"),
        ({"queries": ""}, 422, "invalid_option"),
        ({"engine": "llm"}, 422, "stage_not_installed"),
        ({"engine": "pp_chatocr"}, 422, "stage_not_installed"),
        ({"colour": "red"}, 422, "invalid_option"),
    ],
)
async def test_what_cannot_be_extracted_is_refused_before_it_is_read(
    client: httpx.AsyncClient, reader, fields: dict[str, str], status: int, code: str
) -> None:
    """With its code; nothing is read for it."""
    file = {} if "document_id" in fields else {"file": b"\x89PNG"}
    files = {name: (None, value) for name, value in fields.items()} | file
    answer = await client.post("/extraction", files=files)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not reader.calls


async def test_a_file_and_an_id_are_one_too_many(client: httpx.AsyncClient) -> None:
    """Nobody knows which of them is meant."""
    fields = {"document_id": "doc_" + "0" * 32}
    answer = await client.post("/extraction", data=fields, files={"file": b"\x89PNG"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_option")


async def test_neither_a_file_nor_an_id_is_too_little(client: httpx.AsyncClient) -> None:
    """The answer says where the file belongs."""
    answer = await client.post("/extraction", files={"document_type": (None, "receipt")})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")


async def test_a_page_without_text_has_no_fields(client: httpx.AsyncClient, reader) -> None:
    """It is said, and not answered with nulls."""
    reader.give_pages(1)
    answer = await client.post("/extraction", **PNG)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_text")


async def test_a_language_model_has_less_time_than_the_request(client: httpx.AsyncClient, reader) -> None:
    """The rules still have to answer when it does not."""
    await client.post("/extraction", params={"timeout_s": 10}, **PNG)
    ((_, deadline_s),) = reader.extractions
    assert 0 < deadline_s <= 9.0

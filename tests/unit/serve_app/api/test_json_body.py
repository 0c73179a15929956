"""Documents and options in JSON."""

import base64
import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MAX_BYTES = 200_000
DATA = b"\x89PNG \xff\xfe data"
TEXT = base64.b64encode(DATA).decode()


@pytest.mark.parametrize("path", ["/ocr", "/v1/structure", "/extraction"])
async def test_a_document_comes_in_base64(client: httpx.AsyncClient, reader, path: str) -> None:
    """With options of JSON's own types beside it; one that is null is left open."""
    body = {"file": TEXT, "filename": "../../etc/passwd", "pages": [2, 1], "words": True, "lang": None}
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    data, options = reader.calls[0]
    assert data == DATA
    assert (options.pages, options.words, options.lang) == ((1, 2), True, None)
    assert "passwd" not in answer.text


@pytest.mark.parametrize(
    "text",
    [
        f"data:image/png;base64,{TEXT}",
        f"data:;base64,{TEXT}",
        "\r\n".join([TEXT[:8], TEXT[8:], ""]),
        TEXT.replace("/", "\\/"),
    ],
)
async def test_base64_as_others_write_it(client: httpx.AsyncClient, reader, text: str) -> None:
    """As a browser reads a file, in lines, and with slashes as PHP writes them."""
    body = json.dumps({"file": text}).replace("\\\\/", "\\/")
    answer = await client.post("/ocr", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200, answer.text
    assert reader.calls[0][0] == DATA


async def test_a_schema_may_be_written_as_what_it_is(client: httpx.AsyncClient, reader) -> None:
    """And questions as a list."""
    schema = {"type": "object", "properties": {"total": {"type": "number"}}}
    for body in ({"schema": schema}, {"schema": json.dumps(schema)}, {"queries": ["What is the total?"]}):
        answer = await client.post("/extraction", json={"file": TEXT, **body})
        assert answer.status_code == 200, answer.text
    assert [bool(request.wanted) for request, _ in reader.extractions] == [True, True, False]
    assert reader.extractions[2][0].queries == ("What is the total?",)


@pytest.mark.parametrize(
    ("body", "status", "code", "hint"),
    [
        (b"", 400, "malformed_request", "JSON object"),
        (b"nope", 400, "malformed_request", "JSON object"),
        (b"[1]", 400, "malformed_request", "JSON object"),
        (b"\xff\xfe{}", 400, "malformed_request", "JSON object"),
        (b'{"file": "' + TEXT.encode() + b'"', 400, "malformed_request", "JSON object"),
        (b'{"words": ' + b"[" * 8000 + b"]" * 8000 + b"}", 400, "malformed_request", "JSON object"),
        (b'{"lang": "\\ud800"}', 400, "malformed_request", "JSON object"),
        (b'{"dpi": ' + b"1" * 5000 + b"}", 400, "malformed_request", "JSON object"),
        (b'{"dpi": NaN}', 400, "malformed_request", "JSON object"),
        (b'{"pages": [' + b"1," * 5000 + b"1]}", 400, "malformed_request", "longer than 8192"),
        (json.dumps({f"x{i}": 1 for i in range(65)}).encode(), 400, "malformed_request", "Too many fields"),
        (b'{"file": "not base64!"}', 422, "invalid_option", "base64"),
        (b'{"file": "a-_="}', 422, "invalid_option", "base64"),
        (b'{"file": "data:image/png"}', 422, "invalid_option", "base64"),
        (b'{"file": 5}', 422, "invalid_option", "base64"),
        (b'{"file": "a \xed\x95\x9c"}', 422, "invalid_option", "base64"),
        (b'{"file": ""}', 400, "empty_input", "no bytes"),
        (b'{"file": null}', 400, "malformed_request", "`file`"),
        (b'{"dpi": 72}', 400, "malformed_request", "`file`"),
        (b'{"file": "aGVsbG8=", "dpi": 5}', 422, "invalid_option", "dpi"),
        (b'{"file": "aGVsbG8=", "dpi": {"a": 5}}', 422, "invalid_option", "dpi"),
        (b'{"file": "aGVsbG8=", "words": 1, "return_word_box": 0}', 422, "invalid_option", "words"),
        (b'{"file": "aGVsbG8=", "url": "https://a.example/"}', 422, "invalid_option", "once"),
        (b'{"url": "https://a.example/", "s3": "s3://a/b"}', 422, "invalid_option", "one address"),
        (b'{"url": ["https://a.example/"]}', 422, "invalid_option", "text"),
        (b'{"url": {"a": 1}}', 403, "reference_not_allowed", "address"),
        (b'{"url": "https://a.example/"}', 403, "reference_not_allowed", "no host is allowed"),
        (b'{"s3": "s3://bucket/key"}', 403, "reference_not_allowed", "no bucket is allowed"),
    ],
)
async def test_a_body_that_cannot_be_read_says_why(
    client: httpx.AsyncClient, reader, body: bytes, status: int, code: str, hint: str
) -> None:
    """Each with its own code; nothing of it reaches the reader."""
    answer = await client.post("/ocr", content=body, headers={"content-type": "application/json"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert hint in problem["detail"]
    assert not reader.calls


async def test_the_limit_is_about_the_document_and_not_its_letters(client: httpx.AsyncClient, reader) -> None:
    """A file of the largest size is taken, whichever way it is written; one byte more is not."""
    largest = base64.encodebytes(bytes(MAX_BYTES)).decode().replace("\n", "\r\n")
    assert (await client.post("/ocr", json={"file": largest})).status_code == 200
    for more in (1, MAX_BYTES):
        text = base64.b64encode(bytes(MAX_BYTES + more)).decode()
        answer = await client.post("/ocr", json={"file": text})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_many_bytes")
    assert len(reader.calls) == 1


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.dictionaries(
        st.sampled_from(["file", "url", "s3", "filename", "pages", "dpi", "words", "lang", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=6,
        ),
    ),
    cut=st.integers(0, 60),
)
async def test_no_json_body_breaks_the_service(client: httpx.AsyncClient, body: dict, cut: int) -> None:
    """Whatever stands in it, the answer is a result or the caller's fault."""
    content = json.dumps(body).encode()
    for sent in (content, content[:cut]):
        answer = await client.post("/ocr", content=sent, headers={"content-type": "application/json"})
        assert answer.status_code in (200, 400, 403, 422), answer.text

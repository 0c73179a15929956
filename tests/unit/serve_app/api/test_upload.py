"""Documents and options on their way in."""

from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MAX_BYTES = 200_000
FILE = {"file": ("page.png", b"\x89PNG data", "image/png")}


def make_multipart(*parts: bytes, end: bytes = b"--frontier--\r\n") -> dict[str, object]:
    """Write a multipart request by hand."""
    body = b"".join(b"--frontier\r\n" + part + b"\r\n" for part in parts) + end
    return {"content": body, "headers": {"content-type": "multipart/form-data; boundary=frontier"}}


FILE_PART = b'Content-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.7'


async def test_a_multipart_file_is_read(client: httpx.AsyncClient, reader) -> None:
    """Its bytes arrive as they are."""
    assert (await client.post("/ocr", files=FILE)).status_code == 200
    assert reader.calls[0][0] == b"\x89PNG data"


@pytest.mark.parametrize(
    "media_type", ["image/png", "IMAGE/X-Any", "application/pdf; v=1", "application/octet-stream"]
)
async def test_a_raw_body_is_read(client: httpx.AsyncClient, reader, media_type: str) -> None:
    """Under any type that a document may have; the bytes themselves tell what it is."""
    answer = await client.post("/v1/ocr", content=b"\x00raw", headers={"content-type": media_type})
    assert answer.status_code == 200
    assert reader.calls[0][0] == b"\x00raw"


async def test_options_come_from_query_and_form_and_the_form_wins(client: httpx.AsyncClient, reader) -> None:
    """Even when the two name the same option differently."""
    query = {"dpi": "100", "return_word_box": "true", "lang": "ch"}
    answer = await client.post(
        "/ocr", files=FILE, data={"dpi": "300", "words": "false", "pages": "2,1"}, params=query
    )
    assert answer.status_code == 200
    options = reader.calls[0][1]
    assert (options.dpi, options.words, options.lang, options.pages) == (300, False, "ch", (1, 2))


async def test_an_option_given_twice_in_one_place_is_refused(client: httpx.AsyncClient) -> None:
    """Under one name or two."""
    answer = await client.post("/ocr", files=FILE, params=[("words", "1"), ("return_word_box", "0")])
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "words")


@pytest.mark.parametrize(
    ("request_parts", "status", "code", "hint"),
    [
        ({"files": {"image": ("a.png", b"x")}}, 400, "malformed_request", "field `image`"),
        (
            make_multipart(b'Content-Disposition: form-data; name="dpi"\r\n\r\n300'),
            400,
            "malformed_request",
            "`file`",
        ),
        (
            make_multipart(b'Content-Disposition: form-data; name="file"\r\n\r\nx'),
            400,
            "malformed_request",
            "filename",
        ),
        (make_multipart(FILE_PART, FILE_PART), 400, "malformed_request", "Too many files"),
        (make_multipart(FILE_PART, end=b""), 400, "malformed_request", "`file`"),
        (make_multipart(b"no header at all"), 400, "malformed_request", "multipart"),
        (
            {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
            400,
            "malformed_request",
            "boundary",
        ),
        ({"files": {"file": ("a.png", b"")}}, 400, "empty_input", "no bytes"),
        ({"content": b"", "headers": {"content-type": "image/png"}}, 400, "empty_input", "no bytes"),
        ({"json": {}}, 400, "malformed_request", "`file`"),
        ({"json": []}, 400, "malformed_request", "JSON object"),
        ({"files": FILE, "data": {"url": "https://a.example/"}}, 422, "invalid_option", "once"),
        ({"data": {"file": "x"}}, 415, "unsupported_media_type", "urlencoded"),
        (
            {"content": b"x", "headers": {"content-type": "text/plain"}},
            415,
            "unsupported_media_type",
            "`file`",
        ),
        ({"content": b"x"}, 400, "malformed_request", "no Content-Type"),
        ({}, 400, "malformed_request", "`file`"),
        (
            {"files": FILE, "data": {f"x{i}": "1" for i in range(65)}},
            400,
            "malformed_request",
            "Too many fields",
        ),
        ({"files": FILE, "data": {"lang": "x" * 8193}}, 400, "malformed_request", "maximum size"),
        ({"files": FILE, "data": {"lang": "x" * 8192}}, 422, "invalid_option", "lang"),
        ({"files": FILE, "data": {"langs": "en"}}, 422, "invalid_option", "langs"),
    ],
)
async def test_a_request_that_cannot_be_read_says_why(
    client: httpx.AsyncClient, reader, request_parts: dict[str, object], status: int, code: str, hint: str
) -> None:
    """Each with its own code, and a hint for the caller; nothing of it reaches the reader."""
    answer = await client.post("/ocr", **request_parts)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert hint in problem["detail"]
    assert not reader.calls


class CountedBody:
    """A body sent in chunks, without its length; counts how much of it was asked for."""

    def __init__(self, chunks: int) -> None:
        self.chunks = chunks
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Send one chunk after the other."""
        for _ in range(self.chunks):
            self.sent += 1
            yield bytes(1000)


async def test_the_largest_document_is_taken(client: httpx.AsyncClient, reader) -> None:
    """The limit itself is allowed, whichever way the document comes."""
    data = bytes(MAX_BYTES)
    assert (await client.post("/ocr", files={"file": data})).status_code == 200
    raw = await client.post("/ocr", content=data, headers={"content-type": "application/pdf"})
    assert raw.status_code == 200
    assert [len(data) for data, _ in reader.calls] == [MAX_BYTES, MAX_BYTES]


async def test_one_byte_more_is_refused(client: httpx.AsyncClient, reader) -> None:
    """A form's framing does not count, the file's bytes do."""
    data = bytes(MAX_BYTES + 1)
    for request_parts in (
        {"files": {"file": data}},
        {"content": data, "headers": {"content-type": "application/pdf"}},
    ):
        answer = await client.post("/ocr", **request_parts)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_many_bytes")
    assert not reader.calls


@pytest.mark.parametrize("media_type", ["image/png", "multipart/form-data; boundary=b"])
@pytest.mark.parametrize("length", [str(10**9), "9" * 5000])
async def test_a_body_announced_as_too_long_is_not_read(client, media_type: str, length: str) -> None:
    """The answer comes before the first chunk is asked for."""
    body = CountedBody(1000)
    headers = {"content-type": media_type, "content-length": length}
    answer = await client.post("/ocr", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_bytes")
    assert body.sent == 0


async def test_a_stream_without_length_is_cut_at_the_limit(client: httpx.AsyncClient) -> None:
    """Little more than the limit is ever taken from the wire."""
    body = CountedBody(1000)
    answer = await client.post("/ocr", content=body, headers={"content-type": "image/png"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_bytes")
    assert body.sent == MAX_BYTES // 1000 + 1


async def test_a_length_that_is_no_number_is_malformed(client: httpx.AsyncClient) -> None:
    """A server in front normally refuses it already."""
    headers = {"content-type": "image/png", "content-length": "-1"}
    answer = await client.post("/ocr", content=CountedBody(1), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")


@pytest.mark.parametrize("key", [None, "wrong", "é".encode()])
async def test_the_key_is_checked_before_the_body_is_read(stranger: httpx.AsyncClient, key) -> None:
    """A stranger cannot make the service hold bytes."""
    body = CountedBody(10)
    headers = {"content-type": "image/png", **({} if key is None else {"x-api-key": key})}
    answer = await stranger.post("/ocr", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert "ApiKey" in answer.headers["www-authenticate"]
    assert body.sent == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.integers(0, 200),
    noise=st.binary(max_size=40),
    charset=st.sampled_from(["utf-8", "idna", "hex", "punycode", "unicode_escape", "undefined", "no-such"]),
)
async def test_no_multipart_body_breaks_the_service(client, cut: int, noise: bytes, charset: str) -> None:
    """However a body is mangled, the answer is a result or the caller's fault."""
    parts = make_multipart(b'Content-Disposition: form-data; name="dpi"\r\n\r\n\xff300', FILE_PART)
    content = parts["content"]
    mangled = content[:cut] + noise + content[cut:]
    headers = {"content-type": f"multipart/form-data; boundary=frontier; charset={charset}"}
    answer = await client.post("/ocr", content=mangled, headers=headers)
    assert answer.status_code in (200, 400, 422)
    assert charset == "utf-8" or answer.status_code == 400

"""Documents by their address, over the whole API and from a real server on this machine."""

import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from aiohttp import web

from configs.settings import Limits
from serve_app.api.app import create_app
from serve_app.auth import AuthSettings
from serve_app.outbound.references import References, ReferenceSettings

MAX_BYTES = 200_000
AWAY = {"Location": "http://169.254.169.254/latest/meta-data/"}
FILES: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "/page.png": (200, b"\x89PNG data", {}),
    "/blank": (200, b"", {}),
    "/heavy": (200, bytes(MAX_BYTES + 1), {}),
    "/missing": (404, b"the server's own words", {}),
    "/away": (302, b"", AWAY),
}


@pytest.fixture
async def files() -> AsyncIterator[str]:
    """The address of a server with files."""

    async def answer(request: web.BaseRequest) -> web.Response:
        status, body, headers = FILES[request.path]
        return web.Response(status=status, body=body, headers=headers)

    runner = web.ServerRunner(web.Server(answer, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://localhost:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def client(reader, files: str) -> AsyncIterator[httpx.AsyncClient]:
    """With the key, of a service that may call that server."""
    settings = ReferenceSettings.from_environment({"INPUT_HOSTS": f"{files}@private"})
    limits = Limits(max_bytes=MAX_BYTES)
    app = create_app(reader, limits, AuthSettings("key"), "1", references=References(settings))
    transport = httpx.ASGITransport(app)
    headers = {"x-api-key": "key"}
    async with httpx.AsyncClient(transport=transport, base_url="http://service", headers=headers) as client:
        yield client


@pytest.mark.parametrize("path", ["/ocr", "/structure", "/extraction"])
@pytest.mark.parametrize("form", [True, False])
async def test_a_document_is_fetched(
    client: httpx.AsyncClient, reader, files: str, path: str, form: bool
) -> None:
    """Named in a form or in JSON, with options beside it."""
    fields = {"url": f"{files}/page.png?X-Amz-Signature=s3cret", "dpi": "72"}
    # A form without a file is a form all the same.
    sent = {"files": {name: (None, value) for name, value in fields.items()}} if form else {"json": fields}
    answer = await client.post(path, **sent)
    assert answer.status_code == 200, answer.text
    data, options = reader.calls[0]
    assert (data, options.dpi) == (b"\x89PNG data", 72)
    assert "s3cret" not in answer.text


@pytest.mark.parametrize(
    ("name", "status", "code", "hint"),
    [
        ("/blank", 400, "empty_input", "no bytes"),
        ("/heavy", 413, "reference_too_large", "200000"),
        ("/missing", 422, "reference_unreachable", "status 404"),
        ("/away", 422, "reference_unreachable", "Nothing could be fetched"),
    ],
)
async def test_what_cannot_be_fetched_says_what_the_caller_may_know(
    client: httpx.AsyncClient, reader, files: str, caplog, name: str, status: int, code: str, hint: str
) -> None:
    """And the log has no more of the address than its kind: a path or a query may be a secret."""
    with caplog.at_level(logging.INFO):
        answer = await client.post("/ocr", json={"url": f"{files}{name}?X-Amz-Signature=s3cret"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert hint in problem["detail"]
    for text in (answer.text, caplog.text):
        assert not any(word in text for word in ("s3cret", "169.254", "meta-data", "own words", name[1:]))
    assert not reader.calls


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8265/", "http://localhost/", "https://other.example.com/", "file:///etc/passwd", "x"],
)
async def test_another_address_is_not_asked(client: httpx.AsyncClient, reader, url: str) -> None:
    """The answer says that it is not allowed, and does not repeat it."""
    answer = await client.post("/ocr", json={"url": url})
    assert (answer.status_code, answer.json()["code"]) == (403, "reference_not_allowed")
    assert not reader.calls


async def test_an_empty_address_beside_a_file_is_none(client: httpx.AsyncClient, reader) -> None:
    """As a form in a browser sends it."""
    answer = await client.post("/ocr", files={"file": ("a.png", b"x")}, data={"url": "", "s3": " "})
    assert answer.status_code == 200
    assert reader.calls[0][0] == b"x"


async def test_an_address_in_the_query_is_refused(client: httpx.AsyncClient, reader, files: str) -> None:
    """Every server on the way writes queries down."""
    png = {"content-type": "image/png"}
    answer = await client.post("/ocr", params={"url": f"{files}/page.png"}, content=b"x", headers=png)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_option")
    assert not reader.calls

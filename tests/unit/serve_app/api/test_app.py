"""The application as a whole: CORS and its own description."""

import httpx
import pytest

from configs.settings import Limits
from serve_app.api.app import create_app
from serve_app.auth import AuthSettings

ORIGIN = "https://app.example.com"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "x-api-key",
}


async def test_a_preflight_needs_no_key(stranger: httpx.AsyncClient) -> None:
    """A browser sends none with it."""
    answer = await stranger.options("/ocr", headers=PREFLIGHT)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "x-api-key" in answer.headers["access-control-allow-headers"]
    assert answer.headers["x-request-id"]


async def test_a_preflight_for_a_token_and_a_raw_body(stranger: httpx.AsyncClient) -> None:
    """What a browser asks before it sends a PDF with a token of Cognito."""
    asked = "authorization,content-type,traceparent,x-request-id"
    answer = await stranger.options("/v1/ocr", headers=PREFLIGHT | {"Access-Control-Request-Headers": asked})
    assert answer.status_code == 200
    assert set(asked.split(",")) <= set(answer.headers["access-control-allow-headers"].lower().split(", "))


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_a_preflight_for_what_lasts(stranger: httpx.AsyncClient, method: str) -> None:
    """Whatever a page does with a key of its user; what a browser would not send otherwise is allowed."""
    asked = "idempotency-key,if-none-match,last-event-id,x-api-key"
    headers = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": asked}
    answer = await stranger.options("/v1/anything", headers=PREFLIGHT | headers)
    assert answer.status_code == 200
    assert method in answer.headers["access-control-allow-methods"]


async def test_a_strange_origin_is_not_allowed(stranger: httpx.AsyncClient) -> None:
    """Neither in the preflight nor in an answer."""
    strange = {"Origin": "https://evil.example"}
    assert (await stranger.options("/ocr", headers=PREFLIGHT | strange)).status_code == 400
    assert "access-control-allow-origin" not in (await stranger.get("/health", headers=strange)).headers


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {}),
        (401, {"x-api-key": "wrong"}),
        (413, {"content-length": "999999999"}),
        (415, {"content-type": "text/plain"}),
        (500, {}),
    ],
)
async def test_a_browser_may_read_every_answer(client, reader, status: int, headers: dict[str, str]) -> None:
    """Errors too, the unforeseen ones included."""
    reader.error = RuntimeError("boom") if status == 500 else None
    answer = await client.post(
        "/ocr", content=b"x", headers={"content-type": "image/png", "Origin": ORIGIN, **headers}
    )
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    exposed = answer.headers["access-control-expose-headers"]
    assert {"X-Request-Id", "Retry-After", "RateLimit", "Location", "ETag"} <= set(exposed.split(", "))
    assert answer.headers["x-request-id"]


async def test_every_origin_may_call_only_when_that_is_asked_for(reader) -> None:
    """`ALLOWED_ORIGINS=*` is explicit."""
    app = create_app(reader, Limits(), AuthSettings("k", ("*",)), "1")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        answer = await client.get("/health", headers={"Origin": "https://any.example"})
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_no_page_that_loads_scripts_from_elsewhere(stranger: httpx.AsyncClient) -> None:
    """The description is there as JSON only."""
    assert (await stranger.get("/docs")).status_code == 404
    assert (await stranger.get("/redoc")).status_code == 404


class TestOpenApi:
    """The description of the API."""

    @pytest.fixture
    async def document(self, stranger: httpx.AsyncClient) -> dict:
        """Fetch it as a generator of clients would."""
        return (await stranger.get("/openapi.json")).json()

    async def test_all_paths_are_described(self, document: dict) -> None:
        """In OpenAPI 3.1, with and without version."""
        assert document["openapi"].startswith("3.1")
        names = {"/ocr", "/structure", "/extraction", "/health", "/debug/paddle", "/keys/{key_id}/limits"}
        assert set(document["paths"]) == names | {f"/v1{name}" for name in names}
        ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
        assert len(set(ids)) == len(ids)

    async def test_all_forms_of_upload_are_described(self, document: dict) -> None:
        """A form or JSON with the file or its address, or the document itself with options in the query."""
        post = document["paths"]["/ocr"]["post"]
        content = post["requestBody"]["content"]
        assert set(content) == {
            "multipart/form-data",
            "application/json",
            "image/*",
            "application/pdf",
            "application/octet-stream",
        }
        form = content["multipart/form-data"]["schema"]
        places = {"file", "url", "s3"}
        assert {place for choice in form["oneOf"] for place in choice["required"]} == places
        assert form["properties"]["file"]["format"] == "binary"
        assert form["properties"]["dpi"]["maximum"] == 600
        assert content["application/json"]["schema"]["properties"]["file"]["contentEncoding"] == "base64"
        # An address may be a secret, and every server on the way writes queries down.
        assert {parameter["name"] for parameter in post["parameters"]} == set(form["properties"]) - places
        assert all("null" not in str(parameter["schema"]) for parameter in post["parameters"])

    async def test_problems_are_described_with_examples(self, document: dict) -> None:
        """Each status of reading a document has its codes."""
        responses = document["paths"]["/ocr"]["post"]["responses"]
        refused = {"400", "401", "403", "408", "413", "415", "422", "429"}
        assert set(responses) == {"200", *refused, "500", "503", "504"}
        too_large = responses["413"]["content"]["application/problem+json"]
        assert too_large["schema"]["$ref"] == "#/components/schemas/Problem"
        assert too_large["examples"]["too_many_bytes"]["value"]["status"] == 413

    async def test_the_key_is_described(self, document: dict) -> None:
        """As a header; health needs none."""
        scheme = document["components"]["securitySchemes"]["x-api-key"]
        assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "x-api-key")
        assert document["paths"]["/ocr"]["post"]["security"] == [{"x-api-key": []}]
        assert "security" not in document["paths"]["/health"]["get"]

    async def test_every_reference_leads_somewhere(self, document: dict) -> None:
        """A generator of clients can resolve all of them."""

        def find_references(node: object) -> set[str]:
            if isinstance(node, dict):
                own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
                return own.union(*map(find_references, node.values()))
            return set().union(*map(find_references, node)) if isinstance(node, list) else set()

        for reference in find_references(document):
            assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]

"""What a key may do, and how much of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from configs.settings import Limits
from deployments.document import Page, ReadOptions
from serve_app.access import key_file
from serve_app.access.caller import ALL_SCOPES, CallerLimits
from serve_app.access.key_file import edit_key_file, read_key_file
from serve_app.access.keys import KeyRecord, keep_plain_key, make_key
from serve_app.api.app import create_app
from serve_app.auth import AuthSettings

ORIGIN = "https://app.example.com"
PNG = {"content-type": "image/png"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.yaml"


@pytest.fixture
async def client(reader, path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """Call a service with a key file; nobody has a key yet, and a new one counts at once."""
    monkeypatch.setattr(key_file, "LOOK_EVERY_S", 0.0)
    path.write_text("keys: []")
    app = create_app(reader, Limits(max_bytes=1000), AuthSettings("root", (ORIGIN,), keys_file=path), "1")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        yield client


def add_key(
    path: Path, scopes: set[str] | frozenset[str] = ALL_SCOPES, **limits: int
) -> tuple[KeyRecord, dict]:
    """A new key, and the headers that carry it."""
    record, key = make_key("shop", scopes=scopes, limits=CallerLimits(**limits))
    edit_key_file(path, lambda keys: (*keys, record))
    return record, PNG | {"x-api-key": key}


@pytest.mark.parametrize(
    ("method", "route", "scope"),
    [
        ("POST", "/ocr", "ocr"),
        ("POST", "/v1/structure", "structure"),
        ("GET", "/debug/paddle", "admin"),
        ("GET", "/keys/a/limits", "admin"),
        ("PUT", "/v1/keys/a/limits", "admin"),
    ],
)
async def test_each_route_needs_its_scope(client, reader, path: Path, method, route, scope) -> None:
    """All others are not enough; the body is not looked at."""
    _, headers = add_key(path, ALL_SCOPES - {scope})
    refused = await client.request(method, route, content=b"x", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert f"`{scope}`" in refused.json()["detail"]
    assert reader.calls == []
    _, headers = add_key(path, {scope})
    answer = await client.request(method, route, content=b"x", headers=headers)
    assert answer.status_code not in (401, 403)


async def test_public_routes_need_nothing(client) -> None:
    """A load balancer has no key; what it sends as one does not matter."""
    for headers in ({}, {"x-api-key": "wrong"}):
        assert (await client.get("/health", headers=headers)).status_code == 200
        assert (await client.get("/openapi.json", headers=headers)).status_code == 200


async def test_two_keys_in_one_request_are_refused(client, path: Path) -> None:
    """Even two good ones."""
    _, headers = add_key(path)
    sent = [*headers.items(), ("x-api-key", "root")]
    assert (await client.post("/ocr", content=b"x", headers=sent)).status_code == 401


async def test_the_first_request_too_many_is_refused(client, reader, path: Path) -> None:
    """With the time to wait, in headers that a browser may read; the other key of the owner goes on."""
    _, headers = add_key(path, requests_per_minute=3)
    for left in (2, 1, 0):
        answer = await client.post("/ocr", content=b"x", headers=headers)
        assert answer.status_code == 200
        assert answer.headers["ratelimit"].startswith(f'"requests";r={left};t=')
        assert answer.headers["ratelimit-policy"] == '"requests";q=3;w=60'
    refused = await client.post("/ocr", content=b"x", headers=headers | {"Origin": ORIGIN})
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit"].startswith('"requests";r=0;t=')
    assert refused.headers["access-control-allow-origin"] == ORIGIN
    assert "RateLimit" in refused.headers["access-control-expose-headers"]
    assert len(reader.calls) == 3
    _, other = add_key(path, requests_per_minute=3)
    assert (await client.post("/ocr", content=b"x", headers=other)).status_code == 200


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
@pytest.mark.parametrize(("quota", "reason"), [("pixels_per_minute", "pixels"), ("pages_per_day", "pages")])
async def test_pages_and_their_pixels_are_counted(client, reader, path, accept, quota, reason) -> None:
    """Of whole answers and of streams alike."""
    reader.pages = tuple(Page(number, 1, 1) for number in (1, 2, 3))
    reader.pages_total = 3
    _, headers = add_key(path, **{quota: 6})
    headers |= {"accept": accept}
    for left in (6, 3):
        answer = await client.post("/ocr", content=b"x", headers=headers)
        assert answer.status_code == 200
        assert f'"{reason}";r={left}' in answer.headers["ratelimit"]
    refused = await client.post("/ocr", content=b"x", headers=headers)
    assert refused.status_code == 429
    assert reason in refused.json()["detail"]


async def test_requests_at_a_time_are_limited(client, reader, path: Path) -> None:
    """A place is free again when its request has ended, however it ended."""
    _, headers = add_key(path, concurrent_requests=1)
    inner: list[httpx.Response] = []
    read = reader.read

    async def read_while_another_comes(data: bytes, options: ReadOptions):
        if not inner:
            inner.append(await client.post("/ocr", content=b"x", headers=headers))
            raise RuntimeError("boom")
        return await read(data, options)

    reader.read = read_while_another_comes
    assert (await client.post("/ocr", content=b"x", headers=headers)).status_code == 500
    assert (inner[0].status_code, inner[0].headers["retry-after"]) == (429, "1")
    assert (await client.post("/ocr", content=b"x", headers=headers)).status_code == 200


class TestLimitsOfAKey:
    """What an administrator sees and sets."""

    async def test_they_are_seen_and_set(self, client, path: Path) -> None:
        """A change stands in the file and counts from the next request on."""
        record, headers = add_key(path, {"ocr"}, requests_per_minute=1)
        root = {"x-api-key": "root"}
        url = f"/v1/keys/{record.id}/limits"
        assert (await client.post("/ocr", content=b"x", headers=headers)).status_code == 200
        seen = (await client.get(url, headers=root)).json()
        assert seen["owner"] == "shop"
        assert seen["limits"]["requests_per_minute"] == 1
        assert seen["windows"][0] | {"reset_s": 0} == {
            "name": "requests", "quota": 1, "window_s": 60, "remaining": 0, "reset_s": 0,
        }  # fmt: skip
        assert (await client.post("/ocr", content=b"x", headers=headers)).status_code == 429
        answer = await client.put(url, headers=root, json={"requests_per_minute": 100})
        assert answer.json()["own_limits"]["requests_per_minute"] == 100
        assert read_key_file(path)[0].limits == CallerLimits(requests_per_minute=100)
        assert (await client.post("/ocr", content=b"x", headers=headers)).status_code == 200

    @pytest.mark.parametrize(
        ("key_id", "body", "status", "code"),
        [
            ("none", {}, 404, "not_found"),
            ("None!", {}, 422, "invalid_option"),
            ("web", {"requests_per_minute": 0}, 422, "invalid_option"),
            ("web", {"requests": 5}, 422, "invalid_option"),
            ("root", {}, 409, "conflict"),
        ],
    )
    async def test_mistakes_change_nothing(self, client, path: Path, key_id, body, status, code) -> None:
        """A key of the environment has its limits there."""
        path.write_text(f"keys: [{{id: web, sha256: {'a' * 64}}}]")
        root = {"x-api-key": "root"}
        if key_id == "root":
            key_id = keep_plain_key("root", ALL_SCOPES).id
        before = path.read_bytes()
        answer = await client.put(f"/keys/{key_id}/limits", headers=root, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert path.read_bytes() == before


async def test_limits_that_are_no_text_are_a_malformed_request(client, path: Path) -> None:
    """As every body that cannot be read."""
    record, headers = add_key(path)
    json_type = {**headers, "content-type": "application/json"}
    answer = await client.put(f"/keys/{record.id}/limits", content=b"\xff\xfe{", headers=json_type)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")

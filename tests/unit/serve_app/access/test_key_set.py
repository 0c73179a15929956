"""The cache of the keys that sign tokens, beside a real HTTP server."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jose.utils import long_to_base64

from serve_app.access.key_set import COLD_RETRY_S, REFRESH_S, KeySet, KeySetUnreachable, parse_key_set


def make_entry(key_id: str, bits: int = 2048) -> dict[str, str]:
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    modulus, exponent = (long_to_base64(value).decode() for value in (numbers.n, numbers.e))
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": key_id, "n": modulus, "e": exponent}


ENTRY = make_entry("one")


class Endpoint:
    """Answers what a test says, and counts how often."""

    def __init__(self) -> None:
        self.answer = web.Response()
        self.calls = 0
        self.url = ""

    def give(self, *entries: dict[str, str]) -> None:
        self.text, self.status = json.dumps({"keys": entries}), 200

    async def serve(self, _: web.Request) -> web.Response:
        self.calls += 1
        await asyncio.sleep(0)
        return web.Response(text=self.text, status=self.status, headers={"Location": self.url})


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()
    app = web.Application()
    app.router.add_get("/keys", endpoint.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
    endpoint.give(ENTRY)
    yield endpoint
    await runner.cleanup()


class Clock:
    now_s = 0.0

    def read(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_keys_are_fetched_once(endpoint: Endpoint, clock: Clock) -> None:
    """However many ask at a time."""
    keys = KeySet(endpoint.url, clock.read)
    found = await asyncio.gather(*(keys.find("one") for _ in range(20)))
    assert all(key is not None for key in found)
    clock.now_s = 1e6
    await keys.find("one")
    assert endpoint.calls == 1


async def test_an_unknown_key_is_looked_for_once_a_minute(endpoint: Endpoint, clock: Clock) -> None:
    """So a new key is found soon, and a forger makes no flood."""
    keys = KeySet(endpoint.url, clock.read)
    await keys.find("one")
    endpoint.give(ENTRY, make_entry("two"))
    clock.now_s = REFRESH_S - 1
    assert await asyncio.gather(*(keys.find("two") for _ in range(20))) == [None] * 20
    assert endpoint.calls == 1
    clock.now_s = REFRESH_S
    assert all(await asyncio.gather(*(keys.find("two") for _ in range(20))))
    assert await keys.find("three") is None
    assert endpoint.calls == 2


@pytest.mark.parametrize(
    ("text", "status"),
    [("", 500), ("", 302), ("x", 200), ('{"keys": []}', 200), ("[" * 100_000, 200), ("x" * 300_000, 200)],
)
async def test_a_bad_answer_changes_nothing(endpoint: Endpoint, clock: Clock, text: str, status: int) -> None:
    """Keys fetched before stay; without any, it is tried again after seconds."""
    keys, cold = KeySet(endpoint.url, clock.read), KeySet(endpoint.url, clock.read)
    await keys.find("one")
    endpoint.text, endpoint.status = text, status
    clock.now_s = REFRESH_S
    assert await keys.find("two") is None
    assert await keys.find("one") is not None
    for _ in range(2):
        with pytest.raises(KeySetUnreachable):
            await cold.find("one")
    assert endpoint.calls == 3
    endpoint.give(ENTRY)
    clock.now_s += COLD_RETRY_S
    assert await cold.find("one") is not None


def test_only_keys_for_rs256_signatures_count() -> None:
    """Others may stand in the set for other uses; short ones can be broken."""
    others = [
        {"kty": "oct", "kid": "secret", "k": "AAAA"},
        {**ENTRY, "kid": "encryption", "use": "enc"},
        {**ENTRY, "kid": "other", "alg": "RS512"},
        {**ENTRY, "kid": 7},
        make_entry("short", 1024),
    ]
    assert set(parse_key_set(json.dumps({"keys": [*others, ENTRY]}).encode())) == {"one"}
    for bad in (b"", b"[]", b"{}", b'{"keys": 1}', b'{"keys": [1]}', json.dumps({"keys": others}).encode()):
        with pytest.raises(ValueError, match="key"):
            parse_key_set(bad)

"""Tokens of Amazon Cognito, as a user pool gives them, and as forgers would like them to be."""

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jws

from serve_app.auth import AuthSettings

from cognito_pool import KEY_ID, KeyEndpoint, Pool, delete_pool, encode, make_pool, private_key
from moto_process import needs_moto
from service import find_free_port

pytestmark = pytest.mark.aws

PNG = {"content": b"\x89PNG", "headers": {"content-type": "image/png"}}


@pytest.fixture(scope="session")
def pool(aws_url: str) -> Iterator[Pool]:
    pool = make_pool(aws_url)
    yield pool
    delete_pool(pool)


@pytest.fixture
def environment(pool: Pool) -> dict[str, str]:
    """What an operator would write."""
    return {
        "AUTH_MODE": "cognito",
        "COGNITO_ISSUER": pool.issuer,
        "COGNITO_AUDIENCE": f"other-app {pool.client_id}",
        "COGNITO_JWKS_URL": pool.key_set_url,
        "COGNITO_GROUP_SCOPES": "admins=admin",
    }


@pytest.fixture
async def client(environment: dict[str, str], connect):
    async with connect(AuthSettings.from_environment(environment)) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def post(client: httpx.AsyncClient, headers: Any) -> httpx.Response:
    sent = [("content-type", "image/png"), *(headers.items() if isinstance(headers, dict) else headers)]
    return await client.post("/ocr", content=b"\x89PNG", headers=sent)


@pytest.mark.parametrize("kind", ["AccessToken", "IdToken"])
async def test_the_pools_own_tokens_are_accepted(client, pool: Pool, kind: str) -> None:
    """Both kinds, as the browser of a user has them after signing in."""
    assert (await post(client, bearer(pool.sign_in("user")[kind]))).status_code == 200


async def test_a_group_gives_scopes(client, pool: Pool) -> None:
    """Who is in no group reads documents, and may not look into the machine."""
    user, admin = (pool.sign_in(name)["AccessToken"] for name in ("user", "admin"))
    refused = await client.get("/debug/paddle", headers=bearer(user))
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await client.get("/debug/paddle", headers=bearer(admin))).status_code == 200


@needs_moto
async def test_a_token_of_our_own_making_is_accepted(client, pool: Pool) -> None:
    """So that the refusals below are for what they change, and nothing else."""
    assert (await post(client, bearer(pool.sign()))).status_code == 200
    id_token = pool.sign(token_use="id", client_id=None, aud=pool.client_id)
    assert (await post(client, bearer(id_token))).status_code == 200


def public_pem() -> bytes:
    """The pool's public key as text: the secret of who confuses HS256 with RS256."""
    return jwk.construct(private_key(), "RS256").public_key().to_pem()


def sign_hs256(pool: Pool, secret: bytes) -> str:
    # By hand: the library refuses to use a public key as a secret.
    signed = f"{encode({'alg': 'HS256', 'kid': KEY_ID})}.{encode(pool.claims())}"
    return f"{signed}.{encode(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def sign_with_strange_key(pool: Pool, key_id: str) -> str:
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return jws.sign(pool.claims(), key.decode(), headers={"kid": key_id}, algorithm="RS256")


def tamper(pool: Pool) -> str:
    header, _, signature = pool.sign().split(".")
    return f"{header}.{encode(pool.claims(**{'cognito:groups': ['admins']}))}.{signature}"


NOW_S = int(time.time())
FORGERIES: dict[str, Callable[[Pool], str]] = {
    "alg none": lambda pool: f"{encode({'alg': 'none', 'kid': KEY_ID})}.{encode(pool.claims())}.",
    "alg none with a signature": lambda pool: (
        f"{encode({'alg': 'none', 'kid': KEY_ID})}.{encode(pool.claims())}.{pool.sign().split('.')[2]}"
    ),
    "HS256 with the public key": lambda pool: sign_hs256(pool, public_pem()),
    "RS512": lambda pool: jws.sign(pool.claims(), private_key(), headers={"kid": KEY_ID}, algorithm="RS512"),
    "another issuer": lambda pool: pool.sign(iss=pool.issuer + "x"),
    "no issuer": lambda pool: pool.sign(iss=None),
    "another application's id token": lambda pool: pool.sign(token_use="id", client_id=None, aud="x"),
    "another application's access token": lambda pool: pool.sign(client_id="x"),
    "an access token with aud alone": lambda pool: pool.sign(client_id=None, aud=pool.client_id),
    "an id token with client_id alone": lambda pool: pool.sign(token_use="id"),
    "several aud": lambda pool: pool.sign(token_use="id", aud=[pool.client_id]),
    "another use": lambda pool: pool.sign(token_use="refresh"),
    "no use": lambda pool: pool.sign(token_use=None),
    "a use that is no text": lambda pool: pool.sign(token_use=["access"]),
    "expired": lambda pool: pool.sign(exp=NOW_S - 60),
    "never expires": lambda pool: pool.sign(exp=None),
    "expires at no number": lambda pool: pool.sign(exp="9999999999"),
    "expires at infinity": lambda pool: pool.sign(exp=float("inf")),
    "not yet valid": lambda pool: pool.sign(nbf=NOW_S + 600),
    "tampered": tamper,
    "unknown kid": lambda pool: pool.sign({"kid": "unknown"}),
    "no kid": lambda pool: pool.sign({"kid": None}),
    "kid with a path": lambda pool: pool.sign({"kid": "../../../../dev/null"}),
    "kid with an address": lambda pool: pool.sign({"kid": "http://evil.example/key"}),
    "critical extension": lambda pool: pool.sign({"crit": ["b64"], "b64": False}),
    "another key under a known kid": lambda pool: sign_with_strange_key(pool, KEY_ID),
    "oversized": lambda pool: pool.sign(filler="x" * 8192),
    "no subject": lambda pool: pool.sign(sub=None),
    "a subject with a line end": lambda pool: pool.sign(sub="a\nb"),
    "no token": lambda pool: "",
    "two parts": lambda pool: pool.sign().rpartition(".")[0],
    "nested deeply": lambda pool: f"{encode(b'[' * 5000)}.{encode({})}.x",
    "no JSON": lambda pool: f"{encode(b'{')}.{encode(b'{')}.x",
}


@needs_moto
@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forgery_is_refused(client, pool: Pool, name: str) -> None:
    """With one answer for all of them, which tells a forger nothing but what is in his own token."""
    answer = await post(client, bearer(FORGERIES[name](pool)))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer realm="ocr"'
    said = "has expired" if name == "expired" else "is not valid"
    assert answer.json()["detail"] == f"The token in the header Authorization {said}."


@needs_moto
@pytest.mark.parametrize(
    "make_headers",
    [
        lambda good: [("authorization", f"Bearer {good}")] * 2,
        lambda good: [("authorization", "Bearer x"), ("authorization", f"Bearer {good}")],
        lambda good: [("authorization", f"Basic {good}")],
        lambda good: [("authorization", good)],
        lambda good: [("x-api-key", good)],
        lambda good: [],
    ],
    ids=["twice", "two", "basic", "bare", "as a key", "none"],
)
async def test_a_good_token_in_bad_headers_is_refused(client, pool: Pool, make_headers) -> None:
    """Of two headers another part of the system may look at the other one."""
    answer = await post(client, make_headers(pool.sign()))
    assert answer.status_code == 401


@needs_moto
class TestBothModes:
    """`AUTH_MODE=both`: servers have keys, browsers have tokens."""

    @pytest.fixture
    async def client(self, environment: dict[str, str], connect):
        settings = AuthSettings.from_environment(environment | {"AUTH_MODE": "both", "API_KEY": "k"})
        async with connect(settings) as client:
            yield client

    async def test_either_is_enough(self, client, pool: Pool) -> None:
        """A 401 asks for both kinds."""
        assert (await post(client, {"x-api-key": "k"})).status_code == 200
        assert (await post(client, bearer(pool.sign()))).status_code == 200
        refused = await post(client, {})
        assert refused.status_code == 401
        assert 'ApiKey realm="ocr"' in refused.headers["www-authenticate"]
        assert "Bearer" in refused.headers["www-authenticate"]

    async def test_both_at_once_are_refused(self, client, pool: Pool) -> None:
        """Whose request it is must not depend on who looks."""
        answer = await post(client, {"x-api-key": "k", **bearer(pool.sign())})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")

    async def test_a_wrong_one_is_not_made_good_by_the_other_kind(self, client, pool: Pool) -> None:
        """Nor is a key a token."""
        assert (await post(client, {"x-api-key": pool.sign()})).status_code == 401
        assert (await post(client, bearer("k"))).status_code == 401


@needs_moto
class TestKeySetDown:
    """The endpoint of the pool's keys, when it is needed and not there."""

    @pytest.fixture
    def endpoint(self) -> KeyEndpoint:
        return KeyEndpoint(find_free_port())

    @pytest.fixture
    def key_set(self, pool: Pool) -> bytes:
        """The real one, as the pool publishes it."""
        return httpx.get(pool.key_set_url).content

    @pytest.fixture
    async def client(self, environment: dict[str, str], connect, endpoint: KeyEndpoint):
        settings = AuthSettings.from_environment(environment | {"COGNITO_JWKS_URL": endpoint.url})
        async with connect(settings) as client:
            yield client

    async def test_before_the_first_fetch_nobody_comes_in(self, client, pool: Pool) -> None:
        """And nobody is told that a good token is bad."""
        for token in (pool.sign(), FORGERIES["another key under a known kid"](pool)):
            answer = await post(client, bearer(token))
            assert (answer.status_code, answer.json()["code"]) == (503, "identity_unavailable")
            assert answer.headers["retry-after"] == "5"
        assert (await post(client, bearer(FORGERIES["alg none"](pool)))).status_code == 401

    async def test_after_it_the_keys_fetched_before_are_used(
        self, client, pool: Pool, endpoint: KeyEndpoint, key_set: bytes
    ) -> None:
        """Good tokens are accepted, forgeries refused."""
        with endpoint.up(key_set):
            assert (await post(client, bearer(pool.sign()))).status_code == 200
        assert (await post(client, bearer(pool.sign(sub="another")))).status_code == 200
        for name in ("unknown kid", "tampered", "another key under a known kid"):
            assert (await post(client, bearer(FORGERIES[name](pool)))).status_code == 401

    async def test_a_flood_of_unknown_kids_fetches_nothing_more(
        self, client, pool: Pool, endpoint: KeyEndpoint, key_set: bytes
    ) -> None:
        """And no kid becomes a part of an address."""
        with endpoint.up(key_set):
            assert (await post(client, bearer(pool.sign()))).status_code == 200
            for number in range(20):
                assert (await post(client, bearer(pool.sign({"kid": f"k{number}"})))).status_code == 401
            await post(client, bearer(FORGERIES["kid with a path"](pool)))
        assert endpoint.paths == ["/jwks.json"]

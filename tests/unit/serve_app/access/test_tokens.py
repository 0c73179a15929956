"""Tokens of any shape: each becomes a caller or is refused, and nothing else happens."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from jose import jwk, jws

from deployments.errors import Unauthorized
from serve_app.access.caller import Caller, CallerLimits
from serve_app.access.key_set import KeySet, PublicKey
from serve_app.access.tokens import CognitoSettings, TokenVerifier

NOW_S = 1_800_000_000.0
SECRET = rsa.generate_private_key(65537, 2048)
PEM = SECRET.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
GOOD = {"iss": "https://pool", "sub": "me", "client_id": "web", "token_use": "access", "exp": NOW_S + 60}
NAMES = [*GOOD, "nbf", "aud", "cognito:groups"]
LIKELY = st.sampled_from([*GOOD.values(), "id", ["admins"], 1e308, -1, 10**400, None, True, float("nan")])
VALUES = LIKELY | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


class OneKey(KeySet):
    """A key set that needs no endpoint."""

    def __init__(self) -> None:
        super().__init__("https://nowhere.example")
        self._only = jwk.construct(PEM, "RS256").public_key()

    async def find(self, key_id: str) -> PublicKey | None:
        return self._only if key_id == "one" else None


VERIFIER = TokenVerifier(
    CognitoSettings(
        "https://pool", frozenset({"web"}), "", frozenset({"ocr"}), {"admins": frozenset({"admin"})}
    ),
    CallerLimits(),
    OneKey(),
    lambda: NOW_S,
)


def sign(payload: Any, key_id: Any = "one") -> str:
    return jws.sign(json.dumps(payload).encode(), PEM, headers={"kid": key_id}, algorithm="RS256")


async def check(token: str) -> Caller | None:
    """The caller of a token, None where it is refused."""
    try:
        return await VERIFIER.check(token)
    except Unauthorized:
        return None


async def test_a_good_token_is_a_caller() -> None:
    """With the scopes of its groups."""
    caller = await check(sign(GOOD | {"cognito:groups": ["admins", "others", 7]}))
    assert caller is not None
    assert (caller.key_id, caller.scopes) == ("user:me", {"ocr", "admin"})
    assert caller.expires is not None
    assert caller.expires.timestamp() == NOW_S + 60


@pytest.mark.parametrize(
    ("changed", "accepted"),
    [
        ({"exp": NOW_S - 29}, True),
        ({"exp": NOW_S - 30}, False),
        ({"nbf": NOW_S + 30}, True),
        ({"nbf": NOW_S + 31}, False),
        ({"exp": 1e300}, False),
        ({"exp": 10**400}, False),
    ],
)
async def test_clocks_may_differ_by_half_a_minute(changed: dict[str, Any], accepted: bool) -> None:
    """By no more."""
    assert bool(await check(sign(GOOD | changed))) == accepted


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
async def test_claims_of_any_kind_are_no_error(changed: dict[str, Any]) -> None:
    """Even signed ones; who is accepted has the right issuer, application and use."""
    claims = GOOD | changed
    if await check(sign(claims)) is not None:
        assert claims["iss"] == "https://pool"
        assert claims["client_id" if claims["token_use"] == "access" else "aud"] == "web"
        assert claims["exp"] > NOW_S - 30


@settings(max_examples=100, deadline=None)
@given(VALUES)
async def test_payloads_and_key_ids_of_any_kind_are_no_error(value: Any) -> None:
    """A claim set that is none, a key id that is none."""
    assert await check(sign(value)) is None
    assert await check(sign(GOOD, value)) is None


@settings(max_examples=100, deadline=None)
@given(
    st.text()
    | st.from_regex(r"[A-Za-z0-9_-]{1,60}\.[A-Za-z0-9_-]{1,60}\.[A-Za-z0-9_-]{1,60}", fullmatch=True)
)
async def test_texts_of_any_kind_are_no_error(text: str) -> None:
    """Nor callers."""
    assert await check(text) is None

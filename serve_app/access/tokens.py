"""Tokens of Amazon Cognito: the checks that make one an identity.

After "Verifying JSON web tokens" of Amazon's documentation of user pools: the signature first, then issuer,
times, ``token_use``, and ``aud`` of an ID token or ``client_id`` of an access token.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from jose import jws
from jose.constants import ALGORITHMS

from deployments.errors import IdentityUnavailable, Unauthorized
from serve_app.access.caller import DOCUMENT_SCOPES, Caller, CallerLimits, Scope
from serve_app.access.key_set import KeySet, KeySetUnreachable

MAX_TOKEN_BYTES = 8 * 1024
# Clocks of two machines differ.
_LEEWAY_S = 30.0
# The year 9999; beyond it there is no date.
_MAX_TIME_S = 253_402_300_799
_KEY_ID = re.compile(r"[A-Za-z0-9+/=_-]{1,200}")
_SUBJECT = re.compile(r"[\x21-\x7e]{1,200}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_CLIENT_CLAIMS = {"id": "aud", "access": "client_id"}

_INVALID = "The token in the header Authorization is not valid."
_EXPIRED = "The token in the header Authorization has expired."


@dataclass(frozen=True)
class CognitoSettings:
    """Whose tokens are accepted, for which applications, and what their groups may do.

    ``group_scopes`` is added, group by group, to ``scopes``, which every user has.
    """

    issuer: str
    audience: frozenset[str]
    key_set_url: str
    scopes: frozenset[Scope] = DOCUMENT_SCOPES
    group_scopes: Mapping[str, frozenset[Scope]] = field(default_factory=dict)


class TokenVerifier:
    """Turns a token into a caller, or refuses it."""

    def __init__(
        self,
        settings: CognitoSettings,
        limits: CallerLimits,
        key_set: KeySet | None = None,
        read_time_s: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._limits = limits
        self._key_set = key_set or KeySet(settings.key_set_url)
        self._read_time_s = read_time_s

    async def check(self, token: str) -> Caller:
        """The caller whose token this is. Raises `Unauthorized`, and `IdentityUnavailable` without keys."""
        if len(token) > MAX_TOKEN_BYTES or not _TOKEN.fullmatch(token):
            raise Unauthorized(_INVALID)
        try:
            key = await self._key_set.find(_read_key_id(token))
        except KeySetUnreachable:
            raise IdentityUnavailable(
                "Tokens cannot be checked now: the identity provider's keys cannot be fetched.", 5
            ) from None
        if key is None:
            raise Unauthorized(_INVALID)
        return self._identify(_verify_signature(token, key))

    def _identify(self, claims: Mapping[str, Any]) -> Caller:
        now_s = self._read_time_s()
        expires_s = _read_time(claims, "exp")
        if expires_s is None or (_read_time(claims, "nbf") or 0.0) > now_s + _LEEWAY_S:
            raise Unauthorized(_INVALID)
        if expires_s <= now_s - _LEEWAY_S:
            raise Unauthorized(_EXPIRED)
        use = claims.get("token_use")
        client = claims.get(_CLIENT_CLAIMS[use]) if isinstance(use, str) and use in _CLIENT_CLAIMS else None
        subject = claims.get("sub")
        if (
            claims.get("iss") != self._settings.issuer
            or not isinstance(client, str)
            or client not in self._settings.audience
            or not isinstance(subject, str)
            or not _SUBJECT.fullmatch(subject)
        ):
            raise Unauthorized(_INVALID)
        user = f"user:{subject}"
        return Caller(
            user, user, self._map_groups(claims), self._limits, datetime.fromtimestamp(expires_s, UTC)
        )

    def _map_groups(self, claims: Mapping[str, Any]) -> frozenset[Scope]:
        groups = claims.get("cognito:groups")
        names = [name for name in groups if isinstance(name, str)] if isinstance(groups, list) else []
        return self._settings.scopes.union(
            *(self._settings.group_scopes.get(name, frozenset()) for name in names)
        )


def _read_key_id(token: str) -> str:
    """The key id of a token's header, whose algorithm must be RS256. Raises `Unauthorized`."""
    try:
        header = jws.get_unverified_header(token)
    except Exception:
        # A stranger's bytes, before any signature: whatever they make the parser raise means no.
        raise Unauthorized(_INVALID) from None
    key_id = header.get("kid")
    if (
        header.get("alg") != ALGORITHMS.RS256
        or "crit" in header
        or not isinstance(key_id, str)
        or not _KEY_ID.fullmatch(key_id)
    ):
        raise Unauthorized(_INVALID)
    return key_id


def _verify_signature(token: str, key: Any) -> Mapping[str, Any]:
    """The claims of a token that was signed with this key. Raises `Unauthorized`."""
    try:
        claims = json.loads(jws.verify(token, key, algorithms=[ALGORITHMS.RS256]))
    except Exception:
        raise Unauthorized(_INVALID) from None
    if not isinstance(claims, dict):
        raise Unauthorized(_INVALID)
    return claims


def _read_time(claims: Mapping[str, Any], name: str) -> float | None:
    """A time claim in seconds, None where there is none. Raises `Unauthorized` for one that is no number."""
    value = claims.get(name)
    if value is None:
        return None
    # The bound keeps out infinity, what is no number, and integers that no float holds.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _MAX_TIME_S:
        raise Unauthorized(_INVALID)
    return float(value)

"""Who may use the service: one API key, compared in constant time."""

import hmac
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Security
from fastapi.security import APIKeyHeader
from starlette.requests import Request

from deployments.errors import Unauthorized

KeyCheck = Callable[..., Awaitable[None]]

_ORIGIN = re.compile(r"\*|https?://[^\s/,*]+", re.IGNORECASE)
_HEADER = APIKeyHeader(
    name="x-api-key",
    scheme_name="x-api-key",
    description="The key that the operator set as API_KEY.",
    auto_error=False,
)


@dataclass(frozen=True)
class AuthSettings:
    """The key that callers must send, and the web origins whose pages may call."""

    api_key: str = field(repr=False)
    allowed_origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse to be open: raises `ValueError` for an empty key."""
        if not self.api_key:
            raise ValueError("API_KEY must be set: the service never runs without a key.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "AuthSettings":
        """``AUTH_MODE`` (only ``api-key``), ``API_KEY`` (required) and ``ALLOWED_ORIGINS`` (comma separated).

        Raises `ValueError` with one sentence for the operator.
        """
        mode = environment.get("AUTH_MODE") or "api-key"
        if mode != "api-key":
            raise ValueError(f"AUTH_MODE must be api-key, not {mode!r}.")
        origins = tuple(
            part.strip().rstrip("/") for part in environment.get("ALLOWED_ORIGINS", "").split(",")
        )
        for origin in filter(None, origins):
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"ALLOWED_ORIGINS must list origins such as https://app.example.com, not {origin!r}."
                )
        # A header's value has no space at its ends: a key read from a file with a line end would never match.
        return cls(environment.get("API_KEY", "").strip(), tuple(filter(None, origins)))

    def accepts_key(self, key: str) -> bool:
        """Whether this is the key, as the value of an ASGI header (its bytes decoded as Latin-1)."""
        # Bytes, because `compare_digest` refuses text outside ASCII.
        expected = self.api_key.encode("utf-8", "surrogateescape")
        return hmac.compare_digest(key.encode("latin-1", "replace"), expected)


def make_key_check(settings: AuthSettings) -> KeyCheck:
    """Make a FastAPI dependency that raises `Unauthorized` unless the request carries the key."""

    async def check_key(key: Annotated[str | None, Security(_HEADER)]) -> None:
        if key is None:
            raise Unauthorized("The header x-api-key is missing.")
        if not settings.accepts_key(key):
            raise Unauthorized("The key in the header x-api-key is not valid.")

    return check_key


def find_owner(request: Request) -> str:
    """Whose request this is: documents that are kept for one caller are not there for another."""
    owner: str = getattr(request.state, "owner", "")
    return owner

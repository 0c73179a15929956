"""Who may use the service, as the operator says it in the environment."""

import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from pydantic import ValidationError

from serve_app.access.authenticator import Authenticator
from serve_app.access.caller import ALL_SCOPES, DOCUMENT_SCOPES, CallerLimits, Scope
from serve_app.access.counters import MEMORY_URI, check_storage_uri
from serve_app.access.key_file import KeyFile
from serve_app.access.key_secret import KeySecret
from serve_app.access.key_store import KeySource, KeyStore
from serve_app.access.keys import keep_plain_key, parse_keys
from serve_app.access.tokens import CognitoSettings, TokenVerifier

KeyCheck = Callable[..., Awaitable[None]]
AuthMode = Literal["api-key", "cognito", "both"]

_ORIGIN = re.compile(r"\*|https?://[^\s/,*]+", re.IGNORECASE)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SECRET_REFRESH_S = 300.0


@dataclass(frozen=True)
class AuthSettings:
    """Keys, tokens and limits of callers, and the web origins whose pages may call.

    ``api_key`` may do everything; ``api_keys`` are further ones, either a key document or a list with commas.
    """

    api_key: str = field(default="", repr=False)
    allowed_origins: tuple[str, ...] = ()
    mode: AuthMode = "api-key"
    api_keys: str = field(default="", repr=False)
    keys_file: Path | None = None
    keys_secret: str | None = None
    secret_refresh_s: float = _SECRET_REFRESH_S
    cognito: CognitoSettings | None = None
    default_limits: CallerLimits = field(default_factory=CallerLimits)
    counters_uri: str = field(default=MEMORY_URI, repr=False)

    def __post_init__(self) -> None:
        """Refuse to be open: raises `ValueError` where nobody's key or token could be right."""
        has_keys = bool(self.api_key or self.api_keys or self.keys_file or self.keys_secret)
        if self.mode == "api-key" and not has_keys:
            raise ValueError(
                "API_KEY must be set (or API_KEYS, API_KEYS_FILE, API_KEYS_SECRET_ID): "
                "the service never runs without a key."
            )
        check_storage_uri(self.counters_uri)
        if self.mode != "api-key" and self.cognito is None:
            raise ValueError(f"AUTH_MODE={self.mode} needs COGNITO_ISSUER and COGNITO_AUDIENCE.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "AuthSettings":
        """Read what docs/operations.md lists. Raises `ValueError` with one sentence for the operator."""
        mode = (environment.get("AUTH_MODE") or "api-key").replace("_", "-")
        if mode not in get_args(AuthMode):
            raise ValueError(f"AUTH_MODE must be api-key, cognito or both, not {mode!r}.")
        file = environment.get("API_KEYS_FILE", "").strip()
        # A header's value has no space at its ends: a key read from a file with a line end would never match.
        return cls(
            environment.get("API_KEY", "").strip(),
            _read_origins(environment),
            mode,  # type: ignore[arg-type]
            environment.get("API_KEYS", "").strip(),
            Path(file) if file else None,
            environment.get("API_KEYS_SECRET_ID", "").strip() or None,
            _read_seconds(environment, "API_KEYS_REFRESH_S", _SECRET_REFRESH_S),
            None if mode == "api-key" else _read_cognito(environment),
            _read_limits(environment),
            environment.get("RATE_LIMIT_STORAGE_URI", "").strip() or MEMORY_URI,
        )

    def make_authenticator(self) -> Authenticator:
        """What checks requests by these settings. Raises `ValueError` where keys cannot be read."""
        keys = None if self.mode == "cognito" else self.make_key_store()
        if self.mode == "api-key" and keys is not None and keys.is_empty:
            raise ValueError("There is no key in API_KEYS: the service never runs without a key.")
        tokens = TokenVerifier(self.cognito, self.default_limits) if self.cognito else None
        return Authenticator(keys, tokens, self.default_limits)

    def make_key_store(self) -> KeyStore:
        """The keys of all places. Raises `ValueError` where one of them cannot be read."""
        plain = [keep_plain_key(self.api_key, ALL_SCOPES)] if self.api_key else []
        fixed = []
        if self.api_keys.startswith("{"):
            try:
                fixed = list(parse_keys(self.api_keys))
            except ValueError as error:
                raise ValueError(f"API_KEYS is not valid: {error}.") from error
        else:
            others = [part.strip() for part in self.api_keys.split(",")]
            plain += [keep_plain_key(key, DOCUMENT_SCOPES) for key in others if key and key != self.api_key]
        sources: list[KeySource] = []
        if self.keys_file:
            sources.append(KeyFile(self.keys_file))
        if self.keys_secret:
            sources.append(KeySecret(self.keys_secret, self.secret_refresh_s))
        return KeyStore(fixed, plain, sources)


def _read_origins(environment: Mapping[str, str]) -> tuple[str, ...]:
    parts = environment.get("ALLOWED_ORIGINS", "").split(",")
    origins = tuple(filter(None, (part.strip().rstrip("/") for part in parts)))
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                f"ALLOWED_ORIGINS must list origins such as https://app.example.com, not {origin!r}."
            )
    return origins


def _read_seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "").strip()
    try:
        value = float(text or default)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 86_400:
        raise ValueError(f"{name} must be a number of seconds from 1 to 86400, not {text!r}.")
    return value


def _read_limits(environment: Mapping[str, str]) -> CallerLimits:
    text = environment.get("DEFAULT_LIMITS", "")
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    try:
        return CallerLimits.model_validate({name.strip(): value.strip() for name, _, value in pairs})
    except ValidationError:
        names = ", ".join(CallerLimits.model_fields)
        raise ValueError(
            f"DEFAULT_LIMITS must be numbers such as requests_per_minute=60,pages_per_day=1000 of: {names}."
        ) from None


def _read_cognito(environment: Mapping[str, str]) -> CognitoSettings | None:
    issuer = environment.get("COGNITO_ISSUER", "").strip().rstrip("/")
    audience = frozenset(filter(None, re.split(r"[\s,]+", environment.get("COGNITO_AUDIENCE", ""))))
    if not issuer or not audience:
        return None
    url = environment.get("COGNITO_JWKS_URL", "").strip() or f"{issuer}/.well-known/jwks.json"
    parts = urlsplit(url)
    # Whoever can change the keys on their way can be anybody.
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("COGNITO_JWKS_URL (or COGNITO_ISSUER) must be an https:// address.")
    own = environment.get("COGNITO_SCOPES")
    scopes = DOCUMENT_SCOPES if own is None else _read_scopes("COGNITO_SCOPES", own)
    groups = {}
    for part in filter(str.strip, environment.get("COGNITO_GROUP_SCOPES", "").split(",")):
        group, separator, names = part.partition("=")
        if not separator or not group.strip():
            raise ValueError("COGNITO_GROUP_SCOPES must be such as admins=admin ocr,readers=ocr.")
        groups[group.strip()] = _read_scopes("COGNITO_GROUP_SCOPES", names)
    return CognitoSettings(issuer, audience, url, scopes, groups)


def _read_scopes(name: str, text: str) -> frozenset[Scope]:
    scopes = frozenset(text.split())
    if not scopes <= ALL_SCOPES:
        raise ValueError(f"{name} may name these scopes: {' '.join(sorted(ALL_SCOPES))}.")
    return scopes  # type: ignore[return-value]

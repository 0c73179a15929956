"""From the headers of a request to its caller."""

from collections.abc import Sequence

from starlette.datastructures import Headers

from deployments.errors import Unauthorized
from serve_app.access.caller import Caller, CallerLimits
from serve_app.access.key_store import KeyStore
from serve_app.access.tokens import TokenVerifier

KEY_HEADER = "x-api-key"
TOKEN_HEADER = "authorization"

_KEY_CHALLENGE = 'ApiKey realm="ocr", header="x-api-key"'
_TOKEN_CHALLENGE = 'Bearer realm="ocr"'


class Authenticator:
    """Knows callers by keys, by tokens, or by both; a header of the other kind does not count.

    ``keys`` are those that it accepts, None where it accepts none.
    """

    def __init__(self, keys: KeyStore | None, tokens: TokenVerifier | None, defaults: CallerLimits) -> None:
        self.keys = keys
        self._tokens = tokens
        self._defaults = defaults

    @property
    def challenge(self) -> str:
        """What a 401 asks for (`WWW-Authenticate`)."""
        kinds = ((self.keys, _KEY_CHALLENGE), (self._tokens, _TOKEN_CHALLENGE))
        return ", ".join(challenge for checker, challenge in kinds if checker is not None)

    async def identify(self, headers: Headers) -> Caller:
        """Who sends these headers. Raises `Unauthorized`, and `IdentityUnavailable`."""
        keys = headers.getlist(KEY_HEADER) if self.keys is not None else []
        tokens = headers.getlist(TOKEN_HEADER) if self._tokens is not None else []
        if not keys and not tokens:
            raise Unauthorized(self._name_missing())
        # Of two identities either could be the wrong one: a proxy may look at one, and this at the other.
        if len(keys) + len(tokens) > 1:
            raise Unauthorized("The request has more than one key or token.")
        return await (self._check_key(keys) if keys else self._check_token(tokens))

    async def _check_key(self, keys: Sequence[str]) -> Caller:
        assert self.keys is not None
        # Headers arrive as bytes and are decoded as Latin-1, whatever they mean.
        record = await self.keys.check(keys[0].encode("latin-1", "replace"))
        return record.to_caller(self._defaults)

    async def _check_token(self, tokens: Sequence[str]) -> Caller:
        assert self._tokens is not None
        scheme, _, token = tokens[0].partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized("The header Authorization must be `Bearer` and a token.")
        return await self._tokens.check(token.strip())

    def _name_missing(self) -> str:
        kinds = ((self.keys, KEY_HEADER), (self._tokens, "Authorization"))
        names = [name for checker, name in kinds if checker is not None]
        return f"The header {' or '.join(names)} is missing."

"""The gate before a route: who calls, may they do this, and have they anything left."""

from typing import Annotated

from fastapi import Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from serve_app.access.authenticator import KEY_HEADER, Authenticator
from serve_app.access.caller import Scope
from serve_app.access.limiter import Limiter
from serve_app.access.record import find_record
from serve_app.auth import AuthMode, KeyCheck
from serve_app.error_codes import Forbidden

# FastAPI only describes them: the authenticator reads the headers itself, all of each name.
_KEY = APIKeyHeader(
    name=KEY_HEADER, scheme_name=KEY_HEADER, description="A key that the operator gave out.", auto_error=False
)
_TOKEN = HTTPBearer(
    scheme_name="cognito",
    bearerFormat="JWT",
    description="An ID or access token of the operator's Amazon Cognito user pool.",
    auto_error=False,
)

_KeyParameter = Annotated[str | None, Security(_KEY)]
_TokenParameter = Annotated[HTTPAuthorizationCredentials | None, Security(_TOKEN)]


class Gate:
    """Makes the dependency of each route, which names the scope that it needs."""

    def __init__(self, mode: AuthMode, authenticator: Authenticator, limiter: Limiter) -> None:
        self._mode = mode
        self._authenticator = authenticator
        self._limiter = limiter

    def require(self, scope: Scope) -> KeyCheck:
        """A dependency that raises `Unauthorized`, `Forbidden` or `RateLimited` for who may not pass.

        What an administrator does is not counted: nobody shall be locked out of setting limits.
        """

        async def check_key(request: Request, _key: _KeyParameter = None) -> None:
            await self._admit(request, scope)

        async def check_token(request: Request, _token: _TokenParameter = None) -> None:
            await self._admit(request, scope)

        async def check_both(
            request: Request, _key: _KeyParameter = None, _token: _TokenParameter = None
        ) -> None:
            await self._admit(request, scope)

        checks: dict[AuthMode, KeyCheck] = {
            "api-key": check_key,
            "cognito": check_token,
            "both": check_both,
        }
        return checks[self._mode]

    async def _admit(self, request: Request, scope: Scope) -> None:
        caller = await self._authenticator.identify(request.headers)
        record = find_record(request.scope)
        record.caller = caller
        if scope not in caller.scopes:
            raise Forbidden(f"This needs the scope `{scope}`, which the key or token does not have.")
        if scope != "admin":
            await self._limiter.admit(caller, record)

"""ASGI layers around every route: the proxy's and the request's id outermost, the last catch innermost."""

import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve_app.errors import REQUEST_ID_KEY, report_crash

_VALID_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# What nginx logs for a caller that left; nobody reads it.
_CLIENT_GONE_STATUS = 499


def is_plain_id(text: str) -> bool:
    """Whether a request's id may stand in logs and on answers as it is."""
    return _VALID_ID.fullmatch(text) is not None


class RequestIdMiddleware:
    """Gives each request an id, the caller's own where it is a plain one, and echoes it on every answer.

    Ray Serve's proxy makes ids too and echoes whatever id arrives; with ``proxy_echoes`` the header is left
    to it, unless the id that arrived is not one to repeat (which `serve_app.proxy_layers` takes away before).
    """

    def __init__(self, app: ASGIApp, proxy_echoes: bool = False) -> None:
        self._app = app
        self._proxy_echoes = proxy_echoes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application with the id in its scope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if is_plain_id(asked) else uuid.uuid4().hex
        scope[REQUEST_ID_KEY] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start" and not (self._proxy_echoes and request_id == asked):
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        await self._app(scope, receive, send_with_id)


class ConnectionCloser:
    """Ends the connection with each answer, for an application that a proxy stands before.

    HAProxy misses now and then that a client has left when it sent the request over a connection that had
    served another one: the document would be read for nobody. Its own clients keep their connections, and a
    new one from the proxy costs a tenth of a millisecond.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, and say on its answer that the connection ends."""

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, send_last)


class CrashBarrier:
    """Turns an error that nobody foresaw into a problem document.

    It stands inside the CORS layer, where the framework's own handler for such errors does not: a browser
    reads an answer only with its CORS headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; what it raises before an answer has begun becomes the answer."""
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, note_start)
        except ClientDisconnect:
            if not started:
                await Response(status_code=_CLIENT_GONE_STATUS)(scope, receive, send)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            await report_crash(scope, error)(scope, receive, send)

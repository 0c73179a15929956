"""Layers around every HTTP server of Ray Serve itself: its proxies, and replicas that HAProxy calls.

Serve takes over whatever `X-Request-Id` arrives and puts it on the answer, outside of all that an application
can see. So an id that is not one to repeat is taken away before: Serve then makes one itself. Serve's own
answers (a path without an application, no room) get the headers of all others, too.

`RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH` names `make_layers`, on every node before `ray start`.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve_app.api.middleware import is_plain_id
from serve_app.api.request_log import SECURITY_HEADERS

CALLBACK_PATH = "serve_app.proxy_layers:make_layers"
_ID_HEADER = b"x-request-id"


def make_layers() -> list[Middleware]:
    """What Serve shall put around its HTTP servers."""
    return [Middleware(Doorway)]


class Doorway:
    """Lets in plain request ids only, one a request, and lets out no answer without security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the server's application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        ids = Headers(scope=scope).getlist("x-request-id")
        if ids and not (len(ids) == 1 and is_plain_id(ids[0])):
            kept = [(name, value) for name, value in scope["headers"] if name.lower() != _ID_HEADER]
            scope = {**scope, "headers": kept}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)

"""The layer that opens a request's trace, and lets everything below know whose request it works for."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from deployments.tracing import Span, trace_request
from serve_app.access.record import find_record
from serve_app.errors import find_request_id

# Asked every few seconds by machines: their traces would hide those of documents.
_UNTRACED_PATHS = ("/health", "/livez", "/readyz", "/metrics")


class RequestTrace:
    """Stands inside the layer that gives requests their ids."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application inside the request's span."""
        if scope["type"] != "http" or scope["path"].removeprefix("/v1") in _UNTRACED_PATHS:
            await self._app(scope, receive, send)
            return
        with trace_request(find_request_id(scope), Headers(scope=scope).get("traceparent", "")) as span:
            await self._app(scope, receive, send)
            if span is not None:
                _describe(span, scope)


def _describe(span: Span, scope: Scope) -> None:
    record = find_record(scope)
    route = getattr(scope.get("route"), "path", "unmatched")
    span.rename(f"{scope['method']} {route}")
    span.set(
        **{
            "http.request.method": scope["method"],
            "http.route": route,
            "http.response.status_code": record.status,
            "pages": record.pages,
        }
    )
    if record.status >= 500:
        span.fail(record.error_code or str(record.status))

"""The layer that keeps a request's record: headers that every answer has, and the line of the audit log."""

import json
import logging
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve_app.access.record import RequestRecord, open_record
from serve_app.errors import find_request_id

audit = logging.getLogger("ocr_serve.audit")
logger = logging.getLogger(__name__)

SECURITY_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        # A result in HTML may be opened as a page: it may show its own pictures, and do nothing.
        "Content-Security-Policy": (
            "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'"
        ),
        "Cache-Control": "no-store",
    }
)
# What nginx logs for a caller that left before there was an answer.
_NO_ANSWER_STATUS = 499


class RequestLog:
    """Opens the record of each request, and closes it however the request ends."""

    def __init__(self, app: ASGIApp, read_clock_s: Callable[[], float] = time.perf_counter) -> None:
        self._app = app
        self._read_clock_s = read_clock_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application with a record in its scope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start_s = self._read_clock_s()
        record = open_record(scope)
        status = _NO_ANSWER_STATUS

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in {**SECURITY_HEADERS, **record.headers}.items():
                    headers.setdefault(name, value)
            elif not message.get("more_body", False):
                # Before the answer's last byte: who waits for it may send the next request at once.
                _close(record)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            # Nothing here waits: the request's task may be one that was cancelled.
            _close(record)
            elapsed_ms = (self._read_clock_s() - start_s) * 1e3
            audit.info("%s", write_line(scope, record, status, elapsed_ms))


def _close(record: RequestRecord) -> None:
    while record.at_end:
        try:
            record.at_end.pop()(record)
        except Exception as error:
            logger.error("A request's use was not counted: %s", type(error).__name__)


def write_line(scope: Mapping[str, Any], record: RequestRecord, status: int, elapsed_ms: float) -> str:
    """A request as one line of JSON. The route's own path stands in it, never the one that was sent."""
    route = scope.get("route")
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "event": "request",
        "request_id": find_request_id(scope),
        "key_id": record.caller.key_id if record.caller else None,
        "method": scope["method"] if scope["method"] in _METHODS else "other",
        "route": getattr(route, "path", None),
        "status": status,
        "pages": record.pages,
        "pixels": record.pixels,
        "ms": round(elapsed_ms, 1),
    }
    return json.dumps(line)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def start_audit_log(destination: str) -> None:
    """Write the audit log to ``stderr``, to a file, or nowhere (``off``); at most one place a process."""
    for handler in audit.handlers[:]:
        audit.removeHandler(handler)
        handler.close()
    audit.propagate = False
    audit.disabled = destination == "off"
    if audit.disabled:
        return
    audit.setLevel(logging.INFO)
    # Several replicas may append to one file: each line is one write.
    handler = (
        logging.StreamHandler(sys.stderr) if destination == "stderr" else logging.FileHandler(destination)
    )
    handler.setFormatter(logging.Formatter("%(message)s"))
    audit.addHandler(handler)

"""The layer that keeps a request's record: headers of every answer, metrics, lines of the audit log."""

import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.metric_table import NoRecorder, Recorder
from deployments.replica_logs import start_line_log
from deployments.tracing import current_trace_id
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
# Slower requests have a second line, which says where the time went.
SLOW_REQUEST_S = 10.0


class RequestLog:
    """Opens the record of each request, and closes it however the request ends."""

    def __init__(
        self,
        app: ASGIApp,
        read_clock_s: Callable[[], float] = time.perf_counter,
        recorder: Recorder | None = None,
        slow_s: float = SLOW_REQUEST_S,
    ) -> None:
        self._app = app
        self._read_clock_s = read_clock_s
        self._recorder = recorder or NoRecorder()
        self._slow_s = slow_s
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application with a record in its scope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start_s = self._read_clock_s()
        record = open_record(scope)
        self._count_in_flight(1)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
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
            self._report(scope, record, self._read_clock_s() - start_s)

    def _count_in_flight(self, change: int) -> None:
        self._in_flight += change
        self._recorder.set("ocr_requests_in_flight", self._in_flight)

    def _report(self, scope: Scope, record: RequestRecord, elapsed_s: float) -> None:
        self._count_in_flight(-1)
        route = getattr(scope.get("route"), "path", "unmatched")
        status, method = str(record.status), _name_method(scope)
        self._recorder.add("ocr_requests", route=route, method=method, status=status)
        self._recorder.observe("ocr_request_seconds", elapsed_s, route=route)
        if record.error_code is not None:
            self._recorder.add("ocr_errors", route=route, code=record.error_code)
        if audit.disabled:
            return
        audit.info("%s", write_line(scope, record, elapsed_s * 1e3))
        if elapsed_s > self._slow_s:
            audit.info("%s", write_slow_line(scope, record, elapsed_s * 1e3))


def _close(record: RequestRecord) -> None:
    while record.at_end:
        try:
            record.at_end.pop()(record)
        except Exception as error:
            logger.error("A request's use was not counted: %s", type(error).__name__)


def write_line(scope: Mapping[str, Any], record: RequestRecord, elapsed_ms: float) -> str:
    """A request as one line of JSON. The route's own path stands in it, never the one that was sent."""
    trace_id = current_trace_id()
    line = {
        **_begin_line("request", scope),
        "key_id": record.caller.key_id if record.caller else None,
        "method": _name_method(scope),
        "route": getattr(scope.get("route"), "path", None),
        "status": record.status,
        "code": record.error_code,
        "pages": record.pages,
        "pixels": record.pixels,
        "ms": round(elapsed_ms, 1),
        **({"trace_id": trace_id} if trace_id else {}),
    }
    return json.dumps(line)


def write_slow_line(scope: Mapping[str, Any], record: RequestRecord, elapsed_ms: float) -> str:
    """Where the time of a slow request went: milliseconds of each stage, waiting included, over its pages."""
    line = {
        **_begin_line("slow_request", scope),
        "route": getattr(scope.get("route"), "path", None),
        "pages": record.pages,
        "ms": round(elapsed_ms, 1),
        "stage_ms": record.stage_ms,
    }
    return json.dumps(line)


def _begin_line(event: str, scope: Mapping[str, Any]) -> dict[str, str]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {"time": now, "event": event, "request_id": find_request_id(scope)}


def _name_method(scope: Mapping[str, Any]) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def start_audit_log(destination: str) -> None:
    """Write the audit log to ``stderr``, to a file, or nowhere (``off``); at most one place a process."""
    start_line_log(audit, destination)


def read_slow_limit(environment: Mapping[str, str] = os.environ) -> float:
    """Seconds after which a request is slow, from `SLOW_REQUEST_S`. Raises `ValueError`."""
    text = environment.get("SLOW_REQUEST_S", "").strip()
    try:
        limit_s = float(text or SLOW_REQUEST_S)
    except ValueError:
        limit_s = 0.0
    if not limit_s > 0:
        raise ValueError(f"SLOW_REQUEST_S must be a number of seconds above 0, not {text!r}.")
    return limit_s

"""What is known of a request while it is served: who calls, and what was read for them."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from deployments.document import Page
from serve_app.access.caller import Caller

RECORD_KEY = "ocr_serve.request_record"


@dataclass
class RequestRecord:
    """Filled in on the request's way through the service; read when it is over."""

    caller: Caller | None = None
    pages: int = 0
    pixels: int = 0
    # What nginx logs for a caller that left before there was an answer, until there is one.
    status: int = 499
    error_code: str | None = None
    stage_ms: dict[str, float] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    at_end: list[Callable[["RequestRecord"], None]] = field(default_factory=list)


# Set for each request, so that reading can be counted where it happens, however deep that is.
_current: ContextVar[RequestRecord | None] = ContextVar("request_record", default=None)


def open_record(scope: MutableMapping[str, Any]) -> RequestRecord:
    """Begin the record of the request with this ASGI scope."""
    record = RequestRecord()
    scope[RECORD_KEY] = record
    _current.set(record)
    return record


def find_record(scope: Mapping[str, Any]) -> RequestRecord:
    """The record of a request; an empty one, kept by nobody, outside of the service's own layers."""
    record: RequestRecord | None = scope.get(RECORD_KEY)
    return RequestRecord() if record is None else record


def find_caller(scope: Mapping[str, Any]) -> Caller | None:
    """Who sent the request; None on a public route."""
    return find_record(scope).caller


def find_owner(scope: Mapping[str, Any]) -> str:
    """Whose request this is: what is kept for one owner is not there for another."""
    caller = find_caller(scope)
    return "" if caller is None else caller.owner


def count_pages(pages: Iterable[Page]) -> None:
    """Add pages that were read, and their pixels, to what the request of this task has used."""
    record = _current.get()
    if record is None:
        return
    for page in pages:
        record.pages += 1
        record.pixels += page.width * page.height
        for stage, elapsed_ms in page.stage_ms.items():
            record.stage_ms[stage] = round(record.stage_ms.get(stage, 0.0) + elapsed_ms, 2)


def note_error(code: str) -> None:
    """Say that the request of this task was answered with this error."""
    record = _current.get()
    if record is not None:
        record.error_code = code

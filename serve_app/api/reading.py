"""What every route that reads a document does: receive it within the limits, read it, time it."""

import time
from dataclasses import dataclass
from typing import Generic

from starlette.requests import Request

from configs.settings import Limits
from deployments.document import Document, ReadOptions
from deployments.input_errors import EmptyInput
from serve_app.access.record import count_pages
from serve_app.api.reader import DocumentReader
from serve_app.api.upload import OptionsT, read_upload
from serve_app.deadlines import limit_time
from serve_app.error_codes import RequestTimeout, rebuild_error
from serve_app.errors import find_request_id
from serve_app.outbound.references import References


@dataclass(frozen=True)
class Arrival(Generic[OptionsT]):
    """A document that came with a request, its options, and when the request came (`time.perf_counter`).

    ``data`` is empty only where the options name a document that is kept.
    """

    data: bytes
    options: OptionsT
    start_s: float


class Reading(Generic[OptionsT]):
    """A document that was read for a request, with its options and the time since the request came."""

    def __init__(
        self, document: Document, options: OptionsT, start_s: float, document_id: str | None = None
    ) -> None:
        self.document = document
        self.options = options
        self.document_id = document_id
        self._start_s = start_s

    def total_ms(self) -> float:
        """Wall time from the request's arrival until now."""
        return (time.perf_counter() - self._start_s) * 1e3

    def headers(self, total_ms: float) -> dict[str, str]:
        """What an answer says of the reading whatever its form."""
        timings_ms = {**self.document.stage_ms, "total": round(total_ms, 2)}
        kept = {} if self.document_id is None else {"X-Document-Id": self.document_id}
        return {
            **kept,
            "Server-Timing": ", ".join(f"{stage};dur={ms:g}" for stage, ms in timings_ms.items()),
            "X-Pages-Total": str(self.document.pages_total),
            "X-Pages-Processed": str(self.document.pages_processed),
        }


async def receive_document(
    request: Request, reader: DocumentReader, limits: Limits, kind: type[OptionsT]
) -> Arrival[OptionsT]:
    """Take a document and its options out of a request, within the time that it may take to arrive.

    A document that the request names by its address is fetched.
    """
    start_s = time.perf_counter()
    # Before the body is looked at: a service without room need not hold what it will refuse.
    reader.check_room()
    arrival_s = limits.request_timeout_s
    async with limit_time(
        arrival_s, RequestTimeout(f"The document took more than {arrival_s:g} s to arrive.")
    ):
        upload = await read_upload(request, limits.max_bytes, kind)
        data = upload.data or b""
        if upload.reference is not None:
            references: References = request.app.state.references
            data = await references.fetch(upload.reference, limits.max_bytes, find_request_id(request.scope))
            if not data:
                raise EmptyInput("The document at this address has no bytes.")
    return Arrival(data, upload.options, start_s)


async def read_arrival(
    arrival: Arrival[OptionsT], reader: DocumentReader, options: ReadOptions, owner: str
) -> Reading[OptionsT]:
    """Read a document that came, and keep it for its owner. Raises the error of its only page."""
    document = await reader.read(arrival.data, options)
    count_pages(document.pages)
    raise_only_error(document)
    document_id = await reader.keep(owner, arrival.data, document)
    return Reading(document, arrival.options, arrival.start_s, document_id)


def raise_only_error(document: Document) -> None:
    """Raise the error of a document whose only page failed: an answer without any text is no success."""
    failed = document.pages[0].error if document.pages_total == 1 and document.pages else None
    if failed is not None:
        raise rebuild_error(failed.code, failed.message)

"""Pages as soon as they are done: one answer as a stream of events, as NDJSON or as server-sent events.

The events are `document`, a `page` for each page in order, and `end`; or `error` where the reading of the
whole document fails after its beginning. What fails before the first event is an ordinary problem document.
Nothing is kept for who comes back: with `Last-Event-ID` the same request goes on behind that page.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, Literal

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from configs.settings import Limits
from deployments.document import Page, ReadOptions
from deployments.errors import ServiceError
from deployments.input_errors import BadRequest
from serve_app.access.record import count_pages
from serve_app.api.accept import parse_accept
from serve_app.api.reader import DocumentReader
from serve_app.api.reading import Arrival
from serve_app.api.upload import OptionsT
from serve_app.deadlines import limit_reading
from serve_app.error_codes import HttpError
from serve_app.errors import describe_problem, find_request_id, report_crash
from serve_app.stream_results import StreamEnd, StreamStart

StreamForm = Literal["ndjson", "sse"]

STREAM_TYPES: Mapping[StreamForm, str] = MappingProxyType(
    {"ndjson": "application/x-ndjson", "sse": "text/event-stream"}
)
# Proxies close a connection on which nothing comes: a load balancer of AWS after a minute.
_HEARTBEAT_S = 15.0
# Pages that wait for a slow caller here; those behind them wait to be read.
_WAITING_EVENTS = 4
_EVENT_ID = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Event:
    """One event with its JSON; a page's has the page's number as ``event_id``."""

    name: Literal["document", "page", "end", "error"]
    data: str
    event_id: int | None = None


def choose_stream(accept: str) -> StreamForm | None:
    """The stream that an `Accept` header wants before everything else; None where it wants none."""
    first = next(iter(parse_accept(accept)), "")
    return next((form for form, media_type in STREAM_TYPES.items() if media_type == first), None)


def read_last_event_id(request: Request) -> int:
    """The page after which a stream shall go on, 0 for all of it. Raises `BadRequest`."""
    text = request.headers.get("last-event-id", "").strip()
    if text and not _EVENT_ID.fullmatch(text):
        raise BadRequest("The header Last-Event-ID must be the number of a page.")
    return int(text or 0)


async def stream_document(
    request: Request,
    arrival: Arrival[OptionsT],
    options: ReadOptions,
    reader: DocumentReader,
    limits: Limits,
    write_page: Callable[[Page], BaseModel],
    form: StreamForm,
) -> Response:
    """The answer whose body are the document's pages as they are read.

    Raises what a request for the whole document raises, as long as nothing was sent.
    """
    production = _Production(
        arrival, options, reader, limits, write_page, request, read_last_event_id(request)
    )
    try:
        first = await production.take()
    except BaseException:
        await production.stop()
        raise
    return _EventResponse(production, first, form)


class _Production(Generic[OptionsT]):
    """A task that reads pages and lays down events; errors are laid down too, and end it."""

    def __init__(
        self,
        arrival: Arrival[OptionsT],
        options: ReadOptions,
        reader: DocumentReader,
        limits: Limits,
        write_page: Callable[[Page], BaseModel],
        request: Request,
        after: int,
    ) -> None:
        self._arrival = arrival
        self._options = options
        self._reader = reader
        self._limits = limits
        self._write_page = write_page
        self._request = request
        self._after = after
        self._events: asyncio.Queue[Event | Exception] = asyncio.Queue(_WAITING_EVENTS)
        self._task = asyncio.create_task(self._run())

    async def take(self) -> Event:
        """The next event. Raises the error that stopped the reading."""
        event = await self._events.get()
        if isinstance(event, Exception):
            raise event
        return event

    async def stop(self) -> None:
        """Stop reading; what is under way for nobody takes no more time."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        try:
            async with limit_reading(self._arrival.options, self._limits):
                await self._read()
        except Exception as error:
            await self._events.put(error)

    async def _read(self) -> None:
        opening = self._reader.open_reading(self._arrival.data, self._options, self._after)
        async with opening as reading:
            start = StreamStart.from_reading(
                find_request_id(self._request.scope),
                reading.pages_total,
                reading.numbers,
                reading.models,
                self._arrival.options,
                reading.options,
            )
            await self._put("document", start)
            done: list[Page] = []
            async with contextlib.aclosing(reading.read_pages()) as pages:
                async for page in pages:
                    count_pages([page])
                    written = await asyncio.to_thread(self._write_page, page)
                    # Only what the end tells is kept of a page that was sent.
                    done.append(Page(page.number, error=page.error, stage_ms=page.stage_ms))
                    await self._put("page", written, page.number)
            await self._put("end", StreamEnd.from_pages(done, reading.measure(done)))

    async def _put(
        self, name: Literal["document", "page", "end"], content: BaseModel, event_id: int | None = None
    ) -> None:
        data = await asyncio.to_thread(content.model_dump_json, exclude_none=True)
        await self._events.put(Event(name, data, event_id))


class _EventResponse(StreamingResponse, Generic[OptionsT]):
    """Sends events until the end, an error, or the caller's leaving, which stops the production."""

    def __init__(self, production: _Production[OptionsT], first: Event, form: StreamForm) -> None:
        self._production = production
        self._write = _write_line if form == "ndjson" else _write_sse
        self._heartbeat = KEEPALIVE_COMMENT if form == "sse" else None
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Accept"}
        super().__init__(self._send_from(first), headers=headers, media_type=STREAM_TYPES[form])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream; however that ends, nothing is read any more."""
        self._scope = scope
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._production.stop()

    async def _send_from(self, event: Event) -> AsyncGenerator[bytes, None]:
        yield self._write(event)
        while event.name not in ("end", "error"):
            waiting = asyncio.ensure_future(self._production.take())
            try:
                while not (await asyncio.wait({waiting}, timeout=_HEARTBEAT_S))[0]:
                    if self._heartbeat is not None:
                        yield self._heartbeat
            finally:
                waiting.cancel()
            event = self._take_result(waiting)
            yield self._write(event)

    def _take_result(self, waiting: asyncio.Future[Event]) -> Event:
        try:
            return waiting.result()
        except (ServiceError, HttpError) as error:
            problem = describe_problem(error, find_request_id(self._scope), str(self._scope.get("path", "")))
            return Event("error", problem.model_dump_json(exclude_none=True))
        except Exception as error:
            return Event("error", bytes(report_crash(self._scope, error).body).decode())


def _write_line(event: Event) -> bytes:
    event_id = "" if event.event_id is None else f'"id":{event.event_id},'
    return f'{{"event":"{event.name}",{event_id}"data":{event.data}}}\n'.encode()


def _write_sse(event: Event) -> bytes:
    event_id = None if event.event_id is None else str(event.event_id)
    return format_sse_event(data_str=event.data, event=event.name, id=event_id)

"""`GET /jobs/{id}/events`: how a job goes on, as server-sent events, a snapshot first.

Every change of a job has a number, which is the event's id: with `Last-Event-ID` a stream goes on behind it,
and nothing is told of what the caller knows already. Events are `job` (the whole job), `file`, `page` and
`end`.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncGenerator
from functools import partial

from fastapi import APIRouter, Depends
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import StreamingResponse

from deployments.errors import Busy
from deployments.input_errors import BadRequest
from deployments.jobs.records import Changes, JobRecords
from serve_app.access.record import find_owner
from serve_app.api.jobs import find_job
from serve_app.api.openapi import JOB_PROBLEMS, describe_problems
from serve_app.auth import KeyCheck
from serve_app.jobs.desk import JobDesk
from serve_app.jobs.results import JobFile, JobPage, JobStatus, JobSummary, has_ended

_HEARTBEAT_S = 15.0
_LOOK_S = (0.2, 1.0)
_EVENT_ID = re.compile(r"[0-9]{1,12}")
# After so long the caller comes back, and a replica that is replaced has an end.
_LONGEST_S = 600.0


def make_job_events_router(desk: JobDesk, check_key: KeyCheck) -> APIRouter:
    """Make the route of events."""
    router = APIRouter(
        tags=["jobs"], dependencies=[Depends(check_key)], responses=describe_problems(JOB_PROBLEMS)
    )

    @router.get("/jobs/{job_id}/events", summary="How a job goes on, as server-sent events")
    async def stream_events(request: Request, job_id: str) -> StreamingResponse:
        since = _read_last_id(request)
        owner = find_owner(request.scope)
        await find_job(desk, owner, job_id)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        events = _tell(desk, owner, job_id, since)
        return StreamingResponse(events, 200, headers, "text/event-stream")

    return router


class JobPageEvent(JobPage):
    """A page, with the file that it is in."""

    file: int = Field(description="Place of the file in the job, from 0.", examples=[0])


def _read_last_id(request: Request) -> int | None:
    text = request.headers.get("last-event-id", "").strip()
    if text and not _EVENT_ID.fullmatch(text):
        raise BadRequest("The header Last-Event-ID must be the id of an event.")
    return int(text) if text else None


async def _tell(desk: JobDesk, owner: str, job_id: str, since: int | None) -> AsyncGenerator[bytes, None]:
    started_s = sent_s = time.monotonic()
    look_s, is_first = _LOOK_S[0], since is None
    # What has never changed belongs to the snapshot too.
    known = -1 if since is None else since
    while time.monotonic() - started_s < _LONGEST_S:
        changes = None
        with contextlib.suppress(Busy):
            # A database that does not answer for a moment breaks no stream.
            changes = await desk.ask(partial(_list_changes, owner, job_id, known))
            if changes is None:
                # Deleted meanwhile.
                return
        if changes is not None and changes.job.seq > known:
            for event in _snapshot(changes) if is_first else _differences(changes):
                yield event
            known, is_first, look_s, sent_s = changes.job.seq, False, _LOOK_S[0], time.monotonic()
        if changes is not None and has_ended(changes.job):
            yield _write("end", JobSummary.from_record(changes.job), changes.job.seq)
            return
        if time.monotonic() - sent_s > _HEARTBEAT_S:
            yield KEEPALIVE_COMMENT
            sent_s = time.monotonic()
        await asyncio.sleep(look_s)
        look_s = min(1.5 * look_s, _LOOK_S[1])


def _list_changes(owner: str, job_id: str, known: int, records: JobRecords) -> Changes | None:
    return records.list_changes(owner, job_id, known)


def _snapshot(changes: Changes) -> list[bytes]:
    return [_write("job", JobStatus.from_records(changes.job, changes.files), changes.job.seq)]


def _differences(changes: Changes) -> list[bytes]:
    """What has changed, in its order; the job's own numbers come last, once."""
    told: list[tuple[int, str, BaseModel]] = [
        (page.seq, "page", JobPageEvent(**dict(JobPage.from_record(page)), file=page.place))
        for page in changes.pages
    ]
    told += [(file.seq, "file", JobFile.from_record(file)) for file in changes.files]
    events = [_write(name, content, seq) for seq, name, content in sorted(told, key=lambda one: one[0])]
    return [*events, _write("job", JobSummary.from_record(changes.job), changes.job.seq)]


def _write(name: str, content: BaseModel, seq: int) -> bytes:
    return format_sse_event(data_str=content.model_dump_json(exclude_none=True), event=name, id=str(seq))

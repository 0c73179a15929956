"""`/jobs` and `/batch`: documents in, a job out; how far it has come, its end."""

import asyncio
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from configs.settings import Limits
from deployments.jobs.states import JobRecord, JobState
from serve_app.access.record import find_owner
from serve_app.api.job_arrival import Fetch, receive_job
from serve_app.api.openapi import CREATE_JOB_PROBLEMS, JOB_PROBLEMS, describe_job, describe_problems
from serve_app.auth import KeyCheck
from serve_app.deadlines import limit_time
from serve_app.error_codes import JobNotFound, RequestTimeout
from serve_app.errors import find_request_id
from serve_app.jobs.desk import JobDesk
from serve_app.jobs.results import JobFile, JobList, JobStatus, JobSummary, has_ended
from serve_app.outbound.references import Reference, References

MAX_WAIT_S = 60
_LOOK_S = (0.1, 1.0)
_NO_STORE = {"Cache-Control": "no-store"}


def _make_router(check_key: KeyCheck) -> APIRouter:
    return APIRouter(
        tags=["jobs"], dependencies=[Depends(check_key)], responses=describe_problems(JOB_PROBLEMS)
    )


def make_jobs_router(desk: JobDesk, limits: Limits, check_key: KeyCheck) -> APIRouter:
    """Make the routes that take jobs."""
    router = _make_router(check_key)

    taking: dict[str, Any] = {
        "summary": "Read many documents as a job",
        "status_code": 202,
        "response_model": JobStatus,
        "responses": describe_problems(CREATE_JOB_PROBLEMS),
        "openapi_extra": describe_job(),
    }

    @router.post("/batch", **taking)
    @router.post("/jobs", **taking)
    async def create(request: Request) -> Response:
        # A large job takes longer to arrive than one document.
        arrival_s = max(limits.request_timeout_s, 900.0)
        error = RequestTimeout(f"The job took more than {arrival_s:g} s to arrive.")
        owner = find_owner(request.scope)
        request_id = find_request_id(request.scope)
        async with limit_time(arrival_s, error):
            arrival, asked = await receive_job(
                request, desk.stage, desk.settings, owner, request_id, _make_fetch(request, desk, limits)
            )
        try:
            await desk.check(asked.order, asked.webhook)
            job = await desk.accept(asked)
        finally:
            arrival.close()
        return await _answer(desk, job, 202, {"Location": f"/v1/jobs/{job.id}", "Retry-After": "1"})

    return router


def make_job_status_router(desk: JobDesk, check_key: KeyCheck) -> APIRouter:
    """Make the routes that show and end jobs. A job of somebody else is one that does not exist (404)."""
    router = _make_router(check_key)

    @router.get("/jobs", summary="List jobs, the newest first", response_model=JobList)
    async def list_jobs(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: Annotated[str | None, Query(max_length=40)] = None,
        status: JobState | None = None,
    ) -> Response:
        owner = find_owner(request.scope)
        found, has_more = await desk.ask(lambda records: records.list_jobs(owner, limit, after, status))
        return _write(JobList.from_records(found, has_more))

    @router.get("/jobs/{job_id}", summary="How far a job has come", response_model=JobStatus)
    async def show(
        request: Request, job_id: str, wait: Annotated[float, Query(ge=0, le=MAX_WAIT_S)] = 0
    ) -> Response:
        job = await _wait(desk, find_owner(request.scope), job_id, wait)
        headers = {} if has_ended(job) else {"Retry-After": "1"}
        return await _answer(desk, job, 200, headers)

    @router.get("/jobs/{job_id}/files/{index}", summary="A file of a job", response_model=JobFile)
    async def show_file(request: Request, job_id: str, index: int) -> Response:
        await find_job(desk, find_owner(request.scope), job_id)
        found = await desk.ask(lambda records: records.get_file(job_id, index))
        if found is None:
            raise JobNotFound("The job has no such file.")
        return _write(JobFile.from_record(*found))

    @router.post("/jobs/{job_id}/cancel", summary="Stop a job", response_model=JobSummary)
    async def cancel(request: Request, job_id: str) -> Response:
        owner = find_owner(request.scope)
        job = await desk.ask(lambda records: records.cancel(owner, job_id))
        if job is None:
            raise JobNotFound("There is no such job.")
        desk.wake()
        return _write(JobSummary.from_record(job))

    @router.delete("/jobs/{job_id}", summary="Stop a job, and delete all of it", status_code=204)
    async def delete(request: Request, job_id: str) -> Response:
        if await desk.delete(find_owner(request.scope), job_id) is None:
            raise JobNotFound("There is no such job.")
        return Response(status_code=204)

    return router


def _make_fetch(request: Request, desk: JobDesk, limits: Limits) -> Fetch:
    """Fetches documents for a request: whole into memory, so none larger than one that is sent to `/ocr`."""
    references: References = request.app.state.references
    max_bytes = min(limits.max_bytes, desk.stage.max_file_bytes)
    request_id = find_request_id(request.scope)

    async def fetch(reference: Reference) -> bytes:
        return await references.fetch(reference, max_bytes, request_id)

    return fetch


async def find_job(desk: JobDesk, owner: str, job_id: str) -> JobRecord:
    """A job of this owner. Raises `JobNotFound`."""
    job = await desk.ask(lambda records: records.get(owner, job_id))
    if job is None:
        raise JobNotFound("There is no such job.")
    return job


async def _wait(desk: JobDesk, owner: str, job_id: str, wait_s: float) -> JobRecord:
    """A job, as soon as it has ended, or when the time is over."""
    deadline_s = time.monotonic() + wait_s
    look_s, longest_s = _LOOK_S
    while True:
        job = await find_job(desk, owner, job_id)
        left_s = deadline_s - time.monotonic()
        if has_ended(job) or left_s <= 0:
            return job
        await asyncio.sleep(min(look_s, left_s))
        look_s = min(1.5 * look_s, longest_s)


async def _answer(
    desk: JobDesk, job: JobRecord, status: Literal[200, 202], headers: dict[str, str]
) -> Response:
    files = await desk.ask(lambda records: records.list_files(job.id))
    return _write(JobStatus.from_records(job, files), status, headers)


def _write(
    content: JobStatus | JobSummary | JobList | JobFile,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    body = content.model_dump_json(exclude_none=not isinstance(content, JobList))
    return Response(body, status, {**_NO_STORE, **(headers or {})}, "application/json")

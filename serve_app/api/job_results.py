"""Results of jobs: of a file in one of its forms, and all of them as one ZIP."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from deployments.jobs.states import FileRecord
from deployments.jobs.storage import result_key
from serve_app.access.record import find_owner
from serve_app.api.formats import BINARY, MEDIA_TYPES, describe_file
from serve_app.api.jobs import find_job
from serve_app.api.openapi import JOB_PROBLEMS, describe_problems
from serve_app.auth import KeyCheck
from serve_app.error_codes import JobExpired, JobNotFound, ResultNotReady, rebuild_error
from serve_app.jobs.desk import JobDesk
from serve_app.options import ResultFormat

_EXTENSIONS: dict[str, str] = {
    "json": "json",
    "markdown": "md",
    "html": "html",
    "text": "txt",
    "csv": "csv",
    "hocr": "hocr",
    "alto": "alto.xml",
    "xlsx": "xlsx",
    "pdf": "pdf",
}


def make_job_results_router(desk: JobDesk, check_key: KeyCheck) -> APIRouter:
    """Make the routes of results."""
    router = APIRouter(
        tags=["jobs"], dependencies=[Depends(check_key)], responses=describe_problems(JOB_PROBLEMS)
    )

    @router.get("/jobs/{job_id}/files/{index}/result", summary="The result of a file in one of its forms")
    async def get_result(
        request: Request,
        job_id: str,
        index: int,
        form: Annotated[ResultFormat, Query(alias="format")] = "json",
    ) -> Response:
        file = await _find_file(desk, find_owner(request.scope), job_id, index)
        if form not in file.results:
            raise _explain(file, form)
        # A result never changes: the job, the file and the form are what it is.
        etag = f'"{job_id}-{index}-{form}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache", **describe_file(form)}
        if etag in [one.strip() for one in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=headers)
        headers["Content-Length"] = str(file.results[form])
        key = result_key(job_id, index, form)
        media_type = MEDIA_TYPES[form] + ("" if form in BINARY or form == "json" else "; charset=utf-8")
        return StreamingResponse(await _begin(desk.storage.stream(key)), 200, headers, media_type)

    @router.get("/jobs/{job_id}/results", summary="All results of a job that there are, as one ZIP")
    async def get_all(request: Request, job_id: str) -> Response:
        job = await find_job(desk, find_owner(request.scope), job_id)
        if job.state == "expired":
            raise JobExpired("The results of this job are deleted.")
        files = await desk.ask(lambda records: records.list_files(job_id))
        if not any(file.results for file in files):
            raise ResultNotReady("No file of the job has a result yet.")
        headers = {"Content-Disposition": f'attachment; filename="{job_id}.zip"'}
        return StreamingResponse(_zip(desk, files), 200, headers, "application/zip")

    return router


async def _find_file(desk: JobDesk, owner: str, job_id: str, index: int) -> FileRecord:
    job = await find_job(desk, owner, job_id)
    if job.state == "expired":
        raise JobExpired("The results of this job are deleted.")
    found = await desk.ask(lambda records: records.get_file(job_id, index))
    if found is None:
        raise JobNotFound("The job has no such file.")
    return found[0]


def _explain(file: FileRecord, form: str) -> Exception:
    """Why there is no result: the file's own fault, a form that nobody asked for, or too early."""
    if file.fault is not None:
        return rebuild_error(file.fault.code, file.fault.message)
    if file.results:
        return ResultNotReady(f"The job was not asked for results as {form}.")
    return ResultNotReady(f"The file is {file.state}: it has no result.")


async def _begin(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The stream, once its first piece is there: until then an error can still be answered."""
    first = await anext(stream, b"")

    async def go_on() -> AsyncIterator[bytes]:
        yield first
        async for chunk in stream:
            yield chunk

    return go_on()


async def _zip(desk: JobDesk, files: list[FileRecord]) -> AsyncIterator[bytes]:
    """The archive piece by piece; no more than one result is held at a time."""
    from zipstream import ZIP_DEFLATED, ZipStream

    archive = ZipStream(compress_type=ZIP_DEFLATED)
    for file in files:
        for form in file.results:
            data = await desk.storage.get(result_key(file.job_id, file.place, form))
            archive.add(data, _name_entry(file, form))
            for chunk in archive.all_files():
                yield chunk
    for chunk in archive.finalize():
        yield chunk


def _name_entry(file: FileRecord, form: str) -> str:
    return f"{file.place:04d}-{file.file.name.replace('/', '_')}.{_EXTENSIONS[form]}"

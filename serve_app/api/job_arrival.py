"""Takes the files and the order of a job out of a request, never holding more of it than the limits allow."""

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from configs.jobs import JobsSettings, JobsStage
from deployments.input_errors import BadRequest, TooLarge, TooManyBytes, TooManyFiles, UnsupportedMedia
from deployments.jobs.storage import hash_file
from serve_app.api.job_fields import (
    UPLOAD_FIELD,
    flatten_fields,
    name_document,
    read_fields,
    read_key,
    take_references,
)
from serve_app.api.json_body import parse_json_body
from serve_app.api.upload import (
    FILE_FIELD,
    FRAMING_BYTES,
    REFERENCE_FIELDS,
    limit_body,
    read_form,
)
from serve_app.jobs import desk
from serve_app.jobs.archive import clean_name, is_archive, open_entries
from serve_app.jobs.desk import IncomingFile
from serve_app.outbound.references import Reference
from serve_app.schemas import ExtractionOptions

_FRAMING_A_FILE_BYTES = 2 * 1024
_IN_MEMORY_BYTES = 4 * 1024 * 1024
_HOW_TO_SEND = (
    f"Send the documents as multipart/form-data in the field `{FILE_FIELD}`, one or several, or one of them "
    "as the body itself with the Content-Type image/*, application/pdf, application/zip or "
    "application/octet-stream, or name them in the fields `url` and `s3`."
)
# Gives the bytes of a document that is named by its address.
Fetch = Callable[[Reference], Awaitable[bytes]]


class JobArrival:
    """A job that came with a request. Its files are open until it is closed."""

    def __init__(self) -> None:
        self.files: list[IncomingFile] = []
        self.upload_ids: list[str] = []
        self._stack = ExitStack()

    def add(self, name: str, file: IO[bytes], stage: JobsStage) -> None:
        """Take over a file; one that is a ZIP is taken as its documents."""
        self._stack.callback(file.close)
        head = file.read(4)
        file.seek(0)
        if is_archive(head) and not name.lower().endswith(_OFFICE):
            for entry in open_entries(file, stage.archive, stage.max_file_bytes):
                self._add_document(entry.name, entry.file, stage)
        else:
            self._add_document(name, file, stage)

    def close(self) -> None:
        """Close the files."""
        self._stack.close()

    def _add_document(self, name: str, file: IO[bytes], stage: JobsStage) -> None:
        self._stack.callback(file.close)
        if len(self.files) >= stage.max_files:
            raise TooManyFiles(f"A job has at most {stage.max_files} files.")
        sha256, size_bytes = hash_file(file)
        if size_bytes > stage.max_file_bytes:
            raise TooManyBytes(f"A file of the job has more than {stage.max_file_bytes} bytes.")
        if sum(other.size_bytes for other in self.files) + size_bytes > stage.max_job_bytes:
            raise TooLarge(f"The files of a job have at most {stage.max_job_bytes} bytes.")
        self.files.append(IncomingFile(clean_name(name), file, size_bytes, sha256))


async def receive_job(
    request: Request, stage: JobsStage, settings: JobsSettings, owner: str, request_id: str, fetch: Fetch
) -> tuple[JobArrival, desk.Request]:
    """Read a job; the files in it are open until the arrival is closed.

    Documents that it names by their addresses are fetched now: what is accepted is kept, whatever becomes of
    the place that it came from. Raises `InputError`, what ``fetch`` raises, and `RequestValidationError` for
    an option that the task does not have.
    """
    arrival = JobArrival()
    try:
        fields = await _read_body(request, stage, arrival)
        for reference in take_references(fields):
            data = await fetch(reference)
            await asyncio.to_thread(arrival.add, name_document(reference), io.BytesIO(data), stage)
        fields = [pair for pair in fields if pair[0] not in REFERENCE_FIELDS]
        fields = [*request.query_params.multi_items(), *fields]
        arrival.upload_ids = [value for name, value in fields if name == UPLOAD_FIELD]
        if not arrival.files and not arrival.upload_ids:
            raise BadRequest(f"The job has no file. {_HOW_TO_SEND}")
        order, webhook = read_fields(
            [pair for pair in fields if pair[0] != UPLOAD_FIELD], settings, request_id
        )
        key = read_key(request)
        return arrival, desk.Request(owner, order, arrival.files, arrival.upload_ids, key, webhook)
    except BaseException:
        arrival.close()
        raise


async def _read_body(request: Request, stage: JobsStage, arrival: JobArrival) -> list[tuple[str, Any]]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        framing_bytes = (
            FRAMING_BYTES + _FRAMING_A_FILE_BYTES * stage.max_files + ExtractionOptions.MAX_FIELD_BYTES
        )
        limited = limit_body(request, stage.max_job_bytes, framing_bytes)
        form = await read_form(limited, ExtractionOptions.MAX_FIELD_BYTES, stage.max_files)
        arrival._stack.callback(lambda: [upload.file.close() for _, upload in _uploads(form)])
        await asyncio.to_thread(_take_uploads, form, stage, arrival)
        return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    if media_type == "application/json":
        # Addresses and options only: what is sent as base64 would have to be held as a whole.
        body = await limit_body(request, FRAMING_BYTES, ExtractionOptions.MAX_FIELD_BYTES).body()
        data, items = parse_json_body(body, FILE_FIELD, ExtractionOptions.MAX_FIELD_BYTES)
        if data is not None:
            raise BadRequest(f"A job takes no file in JSON. {_HOW_TO_SEND}")
        return list(flatten_fields(items))
    if media_type.startswith("image/") or media_type in _BODIES:
        file = await _spool(limit_body(request, stage.max_job_bytes, 0))
        await asyncio.to_thread(arrival.add, "document", file, stage)
        return []
    if media_type:
        raise UnsupportedMedia(f"The Content-Type {media_type[:100]!r} is not read here. {_HOW_TO_SEND}")
    if request.query_params.get(UPLOAD_FIELD):
        return []
    raise BadRequest(f"The request has no Content-Type. {_HOW_TO_SEND}")


_BODIES = ("application/pdf", "application/zip", "application/x-zip-compressed", "application/octet-stream")
_OFFICE = (".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub")


def _uploads(form: FormData) -> Iterator[tuple[str, UploadFile]]:
    return ((name, value) for name, value in form.multi_items() if isinstance(value, UploadFile))


def _take_uploads(form: FormData, stage: JobsStage, arrival: JobArrival) -> None:
    for name, upload in _uploads(form):
        if name != FILE_FIELD:
            raise BadRequest(f"A file came in the field `{name[:100]}`. {_HOW_TO_SEND}")
        arrival.add(upload.filename or "document", upload.file, stage)


async def _spool(request: Request) -> IO[bytes]:
    file = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - handed on
    try:
        async for chunk in request.stream():
            await asyncio.to_thread(file.write, chunk)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file

"""Takes the files and the order of a job out of a request, never holding more of it than the limits allow."""

import asyncio
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import IO

from fastapi.exceptions import RequestValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from configs.jobs import JobsSettings, JobsStage
from deployments.errors import BadRequest, TooLarge, TooManyBytes, TooManyFiles, UnsupportedMedia
from deployments.jobs.states import Order, Webhook
from deployments.jobs.storage import hash_file
from serve_app.api.upload import FILE_FIELD, FRAMING_BYTES, collect_options, limit_body, read_form
from serve_app.jobs import desk
from serve_app.jobs.archive import clean_name, is_archive, open_entries
from serve_app.jobs.desk import IncomingFile
from serve_app.jobs.orders import make_order
from serve_app.schemas import ExtractionOptions

UPLOAD_FIELD = "upload_id"
_FRAMING_A_FILE_BYTES = 2 * 1024
_IN_MEMORY_BYTES = 4 * 1024 * 1024
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_SECRET_LENGTH = range(16, 257)
_MAX_URL = 2_000
_HOW_TO_SEND = (
    f"Send the documents as multipart/form-data in the field `{FILE_FIELD}`, one or several, or one of them "
    "as the body itself with the Content-Type image/*, application/pdf, application/zip or "
    "application/octet-stream."
)


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
    request: Request, stage: JobsStage, settings: JobsSettings, owner: str, request_id: str
) -> tuple[JobArrival, desk.Request]:
    """Read a job; the files in it are open until the arrival is closed.

    Raises `InputError`, and `RequestValidationError` for an option that the task does not have.
    """
    arrival = JobArrival()
    try:
        fields = await _read_body(request, stage, arrival)
        fields = [*request.query_params.multi_items(), *fields]
        arrival.upload_ids = [value for name, value in fields if name == UPLOAD_FIELD]
        if not arrival.files and not arrival.upload_ids:
            raise BadRequest(f"The job has no file. {_HOW_TO_SEND}")
        order, webhook = _read_fields(
            [pair for pair in fields if pair[0] != UPLOAD_FIELD], settings, request_id
        )
        key = _read_key(request)
        return arrival, desk.Request(owner, order, arrival.files, arrival.upload_ids, key, webhook)
    except BaseException:
        arrival.close()
        raise


async def _read_body(request: Request, stage: JobsStage, arrival: JobArrival) -> list[tuple[str, str]]:
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


def _read_fields(
    fields: Iterable[tuple[str, str]], settings: JobsSettings, request_id: str
) -> tuple[Order, Webhook | None]:
    own = {"task": "ocr", "formats": "", "webhook_url": "", "webhook_secret": ""}
    others = []
    for name, value in fields:
        if name == "formats" and own["formats"]:
            own["formats"] += f",{value}"
        elif name in own:
            own[name] = value
        else:
            others.append((name, value))
    order = make_order(
        own["task"], own["formats"] or None, collect_options(others, ExtractionOptions), request_id
    )
    return order, _read_webhook(own["webhook_url"], own["webhook_secret"], settings)


def _read_webhook(url: str, secret: str, settings: JobsSettings) -> Webhook | None:
    if not url:
        if secret:
            raise _fault("webhook_secret", "There is no `webhook_url`")
        return None
    if len(url) > _MAX_URL or not url.startswith(("https://", "http://")):
        raise _fault("webhook_url", "Not an http:// or https:// address")
    secret = secret or settings.webhook_secret.get_secret_value()
    if len(secret) not in _SECRET_LENGTH:
        raise _fault("webhook_secret", "Events are signed: a secret of 16 to 256 characters is needed")
    return Webhook(url, secret)


def _read_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise BadRequest("The header Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return key


def _fault(name: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": (name,), "type": "job_option", "msg": message}])

"""Takes a document and its options out of a request, never holding more of it than the limits allow."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from deployments.input_errors import BadRequest, EmptyInput, InvalidOption, TooManyBytes, UnsupportedMedia
from serve_app.api.json_body import bound_base64, parse_json_body
from serve_app.options import OPTION_ALIASES
from serve_app.outbound.references import Reference, ReferenceKind
from serve_app.schemas import OcrOptions

FILE_FIELD = "file"
# Where a document is instead of its bytes; never in a query, which every server on the way writes down.
REFERENCE_FIELDS: tuple[ReferenceKind, ...] = ("url", "s3")
# Only in a JSON body, where clients send it beside the file; a name is never used.
_NAME_FIELD = "filename"
MAX_FIELDS = 64
# Boundaries, part headers and option fields around a file that is itself within its limit.
FRAMING_BYTES = 64 * 1024
_CHARSETS = {"utf-8", "utf8", "us-ascii", "iso-8859-1"}

_HOW_TO_SEND = (
    f"Send the document as multipart/form-data in the field `{FILE_FIELD}`, "
    "as the body itself with the Content-Type image/*, application/pdf or application/octet-stream, "
    f"or in JSON as `{FILE_FIELD}` in base64."
)


OptionsT = TypeVar("OptionsT", bound=OcrOptions)


@dataclass(frozen=True)
class Upload(Generic[OptionsT]):
    """A document as its bytes or by its address, neither where the options name it, and the options."""

    data: bytes | None
    reference: Reference | None
    options: OptionsT


async def read_upload(request: Request, max_bytes: int, kind: type[OptionsT]) -> Upload[OptionsT]:
    """Read the document of a request, at most ``max_bytes`` bytes, and its options.

    Raises `BadRequest`, `EmptyInput`, `TooManyBytes`, `UnsupportedMedia`, and FastAPI's
    `RequestValidationError` for an option that is unknown or out of range.
    """
    query = collect_options(request.query_params.multi_items(), kind)
    data, fields = await _read_body(request, max_bytes, kind)
    if data is not None and len(data) > max_bytes:
        raise _too_many_bytes(max_bytes)
    reference = _take_reference(fields)
    options = parse_options({**query, **fields}, kind)
    places = sum((data is not None, reference is not None, options.names_document()))
    if places == 0:
        raise BadRequest(f"The request has no complete document in the field `{FILE_FIELD}`. {_HOW_TO_SEND}")
    if places > 1:
        raise InvalidOption("A document comes once: as a file, by its address, or by its `document_id`.")
    if data is not None and not data:
        raise EmptyInput("The document has no bytes.")
    return Upload(data, reference, options)


async def _read_body(
    request: Request, max_bytes: int, kind: type[OcrOptions]
) -> tuple[bytes | None, dict[str, Any]]:
    """The file of a body, None where there is none, and the fields beside it."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    framing_bytes = FRAMING_BYTES + kind.MAX_FIELD_BYTES
    if media_type == "multipart/form-data":
        form = await read_form(limit_body(request, max_bytes, framing_bytes), kind.MAX_FIELD_BYTES)
        try:
            return await _split_form(form, kind)
        finally:
            await form.close()
    if media_type == "application/json":
        framing_bytes += bound_base64(max_bytes) - max_bytes
        body = await limit_body(request, max_bytes, framing_bytes).body()
        # A long text takes a while to read, which other requests need not wait for.
        data, items = await asyncio.to_thread(parse_json_body, body, FILE_FIELD, kind.MAX_FIELD_BYTES)
        return data, collect_options(((name, value) for name, value in items if name != _NAME_FIELD), kind)
    if media_type.startswith("image/") or media_type in ("application/pdf", "application/octet-stream"):
        return await limit_body(request, max_bytes, 0).body(), {}
    if media_type:
        raise UnsupportedMedia(f"The Content-Type {media_type[:100]!r} is not read here. {_HOW_TO_SEND}")
    raise BadRequest(f"The request has no Content-Type. {_HOW_TO_SEND}")


def _take_reference(fields: dict[str, Any]) -> Reference | None:
    """Take the document's address out of the fields; an empty one is none."""
    given = {name: fields.pop(name) for name in REFERENCE_FIELDS if name in fields}
    if not all(isinstance(address, str) for address in given.values()):
        raise InvalidOption("An address of a document is a text.")
    named = [(name, address.strip()) for name, address in given.items() if address.strip()]
    if len(named) > 1:
        raise InvalidOption(f"A document has one address: {' or '.join(f'`{name}`' for name, _ in named)}.")
    return Reference(*named[0]) if named else None


def collect_options(items: Iterable[tuple[str, Any]], kind: type[OcrOptions] = OcrOptions) -> dict[str, Any]:
    """Key options by the service's own names. Raises `RequestValidationError` for one that is given twice."""
    collected: dict[str, Any] = {}
    for name, value in items:
        own_name = OPTION_ALIASES.get(name, name)
        if own_name in collected and own_name in kind.REPEATED:
            before = collected[own_name]
            collected[own_name] = [*([before] if isinstance(before, str) else before), value]
            continue
        if own_name in collected:
            raise RequestValidationError(
                [{"loc": (own_name,), "type": "repeated", "msg": "Given more than once"}]
            )
        collected[own_name] = value
    return collected


def parse_options(values: Mapping[str, Any], kind: type[OptionsT]) -> OptionsT:
    """Read the options that these texts stand for. Raises `RequestValidationError`."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from error


def limit_body(request: Request, max_bytes: int, framing_bytes: int) -> Request:
    """Wrap the request in one whose body raises `TooManyBytes` as soon as there is too much of it."""
    limit_bytes = max_bytes + framing_bytes
    announced = request.headers.get("content-length", "0")
    if not (announced.isascii() and announced.isdigit()):
        raise BadRequest("The Content-Length is not a number.")
    # By its digits first: Python refuses to turn a text of thousands of them into a number.
    if len(announced) > 18 or int(announced) > limit_bytes:
        raise _too_many_bytes(max_bytes)
    received_bytes = 0

    async def receive() -> Message:
        nonlocal received_bytes
        message = await request.receive()
        received_bytes += len(message.get("body", b""))
        if received_bytes > limit_bytes:
            raise _too_many_bytes(max_bytes)
        return message

    return Request(request.scope, receive)


async def read_form(request: Request, max_field_bytes: int, max_files: int = 1) -> FormData:
    """The form of a request, which its taker closes. Raises `BadRequest`."""
    _, parameters = parse_options_header(request.headers["content-type"])
    charset = parameters.get(b"charset", b"utf-8").decode("latin-1")
    # Python knows codecs that run, warn or take for ever on a stranger's bytes: only those of texts.
    if charset.lower() not in _CHARSETS:
        raise BadRequest(f"The charset {charset[:100]!r} is not read here: send UTF-8.")
    try:
        return await request.form(max_files=max_files, max_fields=MAX_FIELDS, max_part_size=max_field_bytes)
    except HTTPException as error:
        raise BadRequest(f"The multipart body cannot be read: {error.detail}") from error
    except ValueError as error:
        # The parser lets some faults of a part's headers through as they are.
        raise BadRequest("The multipart body cannot be read.") from error


async def _split_form(form: FormData, kind: type[OcrOptions]) -> tuple[bytes | None, dict[str, Any]]:
    """Split a form into the file's bytes, None where there is no file, and the other fields as options."""
    file = form.get(FILE_FIELD)
    if isinstance(file, str):
        raise BadRequest(f"The field `{FILE_FIELD}` must be a file: its part has no filename.")
    if file is None and not any(isinstance(value, UploadFile) for value in form.values()):
        file_bytes = None
    elif file is None:
        others = [name for name, value in form.multi_items() if isinstance(value, UploadFile)]
        raise BadRequest(
            f"The form has no complete file in the field `{FILE_FIELD}`. "
            f"The file came in the field `{others[0][:100]}`."
        )
    else:
        file_bytes = await file.read()
    fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    return file_bytes, collect_options(fields, kind)


def _too_many_bytes(max_bytes: int) -> TooManyBytes:
    return TooManyBytes(f"The document has more than {max_bytes} bytes.")

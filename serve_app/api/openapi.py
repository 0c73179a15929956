"""The parts of the OpenAPI document that FastAPI cannot see: the forms of upload, and problem documents."""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from deployments.errors import (
    Busy,
    DeadlineExceeded,
    IdentityUnavailable,
    StageFailed,
    StageUnavailable,
    Unauthorized,
)
from deployments.input_errors import InvalidOption
from serve_app.api.upload import FILE_FIELD, REFERENCE_FIELDS
from serve_app.error_codes import ERROR_CODES, ErrorKind, Forbidden, RateLimited
from serve_app.errors import PROBLEM_MEDIA_TYPE
from serve_app.outbound.policy import MAX_URL_LETTERS
from serve_app.schemas import OcrOptions, Problem

_SCHEMA_PREFIX = "#/components/schemas/"
_BINARY = {"type": "string", "format": "binary"}
_BASE64 = {
    "type": "string",
    "contentEncoding": "base64",
    "description": "The document in base64; a `data:` URL is taken too.",
}
_ADDRESSES = {
    "url": {
        "type": "string",
        "format": "uri",
        "maxLength": MAX_URL_LETTERS,
        "description": "Where the document is, on a host that the operator allows; none unless they do.",
        "examples": ["https://files.example.com/invoice.pdf"],
    },
    "s3": {
        "type": "string",
        "pattern": "^s3://",
        "description": "The object that is the document, in a bucket that the operator allows.",
        "examples": ["s3://my-bucket/invoice.pdf"],
    },
}
_ONLY_FOR_JOBS = (
    "job_not_found",
    "result_not_ready",
    "job_expired",
    "idempotency_key_reused",
    "uploads_unavailable",
    "jobs_unavailable",
    "storage_unavailable",
    "storage_full",
    "input_lost",
    "too_many_files",
    "malformed_archive",
)
_NOT_FOR_DOCUMENTS = ("not_found", "method_not_allowed", "not_ready", "conflict", *_ONLY_FOR_JOBS)

_ONLY_FOR_EXTRACTION = (
    "document_not_found",
    "unknown_document_type",
    "invalid_schema",
    "schema_too_deep",
    "no_text",
)

_DOCUMENT_PROBLEMS = tuple(kind for code, kind in ERROR_CODES.items() if code not in _NOT_FOR_DOCUMENTS)
STRUCTURE_PROBLEMS = tuple(kind for kind in _DOCUMENT_PROBLEMS if kind.code not in _ONLY_FOR_EXTRACTION)
EXTRACTION_PROBLEMS = tuple(
    kind for kind in _DOCUMENT_PROBLEMS if kind.code not in ("not_acceptable", "one_page_only")
)
OCR_PROBLEMS = tuple(kind for kind in STRUCTURE_PROBLEMS if kind.code != "not_acceptable")
# What any route of jobs may answer; what becomes of a file or a page stands in the job.
JOB_PROBLEMS = tuple(
    kind
    for code, kind in ERROR_CODES.items()
    if code in (*_ONLY_FOR_JOBS, "unauthorized", "forbidden", "rate_limited", "invalid_option", "busy")
)
CREATE_JOB_PROBLEMS = tuple(
    kind
    for code, kind in ERROR_CODES.items()
    if kind in JOB_PROBLEMS
    or code
    in (
        "malformed_request",
        "request_timeout",
        "too_large",
        "too_many_bytes",
        "unsupported_media_type",
        "stage_not_installed",
        "language_not_installed",
        "unknown_document_type",
        "invalid_schema",
        "schema_too_deep",
        "reference_not_allowed",
        "reference_unreachable",
        "reference_timeout",
        "reference_too_large",
    )
)
DEBUG_PROBLEMS = (
    Unauthorized,
    Forbidden,
    Busy,
    IdentityUnavailable,
    StageUnavailable,
    StageFailed,
    DeadlineExceeded,
)
METRICS_PROBLEMS = (*DEBUG_PROBLEMS, InvalidOption, RateLimited)


def describe_problems(kinds: Iterable[ErrorKind]) -> dict[int | str, dict[str, Any]]:
    """Build the ``responses`` of a route: one entry a status, with an example for each of its codes."""
    responses: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        response = responses.setdefault(
            kind.status,
            {
                "description": "",
                "content": {
                    PROBLEM_MEDIA_TYPE: {"schema": {"$ref": f"{_SCHEMA_PREFIX}Problem"}, "examples": {}}
                },
            },
        )
        response["description"] += (", " if response["description"] else "Codes: ") + f"`{kind.code}`"
        response["content"][PROBLEM_MEDIA_TYPE]["examples"][kind.code] = {"value": _make_example(kind)}
    return responses


def describe_streams() -> dict[str, dict[str, Any]]:
    """Build the ``content`` of a route that also answers page by page."""
    event = {"type": "string", "description": "Events `document`, `page` ..., `end` (or `error`)."}
    return {media_type: {"schema": event} for media_type in ("application/x-ndjson", "text/event-stream")}


def add_openapi(app: FastAPI) -> None:
    """Let `/openapi.json` name the schema of problems, which no route returns as its result."""

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            schema = Problem.model_json_schema(ref_template=_SCHEMA_PREFIX + "{model}")
            document["components"]["schemas"] |= {**schema.pop("$defs", {}), "Problem": schema}
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = build  # type: ignore[method-assign]


def _describe_option(schema: dict[str, Any]) -> dict[str, Any]:
    """Drop null from an option's schema: a query or a form leaves an option out instead."""
    shown = {key: value for key, value in schema.items() if key not in ("anyOf", "title")}
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            shown |= choice
    if shown.get("default", "") is None:
        del shown["default"]
    return shown


def _make_example(kind: ErrorKind) -> dict[str, Any]:
    example = {name: field.examples[0] for name, field in Problem.model_fields.items() if field.examples}
    if kind.code != "invalid_option":
        del example["errors"]
    described = {
        "type": f"urn:ocr-serve:{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "code": kind.code,
    }
    return {**example, **described, "detail": kind().message}


def describe_upload(options: type[OcrOptions], needs_file: bool = True) -> dict[str, Any]:
    """Build the ``openapi_extra`` of a route that reads its body itself."""
    described = {
        name: _describe_option(schema) for name, schema in options.model_json_schema()["properties"].items()
    }
    places = [[FILE_FIELD], *([name] for name in REFERENCE_FIELDS)]

    def describe_fields(file: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            **({"oneOf": [{"required": place} for place in places]} if needs_file else {}),
            "properties": {FILE_FIELD: file, **_ADDRESSES, **described},
        }

    form = describe_fields({**_BINARY, "description": "The document: an image or a PDF."})
    json = describe_fields(_BASE64)
    json["properties"]["filename"] = {"type": "string", "description": "Taken, and never used."}
    bodies = ("image/*", "application/pdf", "application/octet-stream")
    return {
        "requestBody": {
            "required": True,
            "description": "An option in the body wins over the same one in the query.",
            "content": {
                "multipart/form-data": {"schema": form},
                "application/json": {"schema": json},
                **{media_type: {"schema": _BINARY} for media_type in bodies},
            },
        },
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": schema["description"],
                "schema": {key: value for key, value in schema.items() if key != "description"},
            }
            for name, schema in described.items()
        ],
    }


def describe_job() -> dict[str, Any]:
    """Build the ``openapi_extra`` of the route that takes jobs, which reads its body itself."""
    text = {"type": "string"}
    form = {
        "type": "object",
        "properties": {
            FILE_FIELD: {
                "type": "array",
                "items": _BINARY,
                "description": "The documents: images, PDF files, or ZIP archives of them.",
            },
            **{name: {"type": "array", "items": address} for name, address in _ADDRESSES.items()},
            "upload_id": {"type": "array", "items": text, "description": "Documents sent by `/uploads`."},
            "task": {**text, "enum": ["ocr", "structure", "extraction"], "default": "ocr"},
            "formats": {**text, "description": "Forms of the results, with commas; JSON is always written."},
            "webhook_url": {**text, "description": "Where the beginning and the end of the job are told."},
            "webhook_secret": {**text, "description": "What signs that, 16 to 256 characters."},
        },
        "additionalProperties": {**text, "description": "An option of the task's own route."},
    }
    bodies = ("image/*", "application/pdf", "application/zip", "application/octet-stream")
    return {
        "requestBody": {
            "required": True,
            "description": "An option holds for every file of the job.",
            "content": {
                "multipart/form-data": {"schema": form},
                "application/json": {"schema": _without_file(form)},
                **{media_type: {"schema": _BINARY} for media_type in bodies},
            },
        },
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same job with the same key is taken once.",
                "schema": {**text, "maxLength": 255},
            }
        ],
    }


def _without_file(form: dict[str, Any]) -> dict[str, Any]:
    """The fields of a form as those of a JSON object, which carries no file."""
    properties = {name: schema for name, schema in form["properties"].items() if name != FILE_FIELD}
    return {**form, "properties": properties, "additionalProperties": True}

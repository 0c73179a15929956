"""Errors as HTTP answers: every failure of a request is one problem document (RFC 9457)."""

import logging
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from deployments.errors import Busy, ServiceError
from deployments.input_errors import BadRequest, InvalidOption
from serve_app.access.record import note_error
from serve_app.error_codes import ERROR_CODES, HttpError, MethodNotAllowed, NotFound, RateLimited
from serve_app.schemas import FieldProblem, Problem

__all__ = [
    "ERROR_CODES",
    "add_error_handlers",
    "describe_problem",
    "find_request_id",
    "problem_response",
    "report_crash",
]

logger = logging.getLogger(__name__)

# Where the request's id stands in an ASGI scope.
REQUEST_ID_KEY = "ocr_serve.request_id"
PROBLEM_MEDIA_TYPE = "application/problem+json"


def problem_response(
    error: ServiceError | HttpError,
    request_id: str,
    instance: str,
    errors: Sequence[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer an error with its code, status and public message, and when to try again where that helps."""
    problem = describe_problem(error, request_id, instance, errors)
    added = dict(headers or {})
    if isinstance(error, Busy | RateLimited):
        added["Retry-After"] = str(max(1, error.retry_after_s))
    return JSONResponse(
        problem.model_dump(exclude_none=True), error.status, headers=added, media_type=PROBLEM_MEDIA_TYPE
    )


def describe_problem(
    error: ServiceError | HttpError,
    request_id: str,
    instance: str,
    errors: Sequence[FieldProblem] | None = None,
) -> Problem:
    """The problem document of an error, which the request's record notes."""
    note_error(error.code)
    return Problem(
        type=f"urn:ocr-serve:{error.code}",
        title=error.title,
        status=error.status,
        detail=error.message,
        instance=instance,
        code=error.code,
        request_id=request_id,
        errors=None if errors is None else list(errors),
    )


def find_request_id(scope: Mapping[str, Any]) -> str:
    """Find the id that the request-id middleware gave this request."""
    request_id: str = scope.get(REQUEST_ID_KEY, "")
    return request_id


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error that a route raises on purpose with a problem document."""
    app.add_exception_handler(ServiceError, _answer_known_error)
    app.add_exception_handler(HttpError, _answer_known_error)
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(RequestValidationError, _answer_invalid_options)


def report_crash(scope: Mapping[str, Any], error: Exception) -> Response:
    """Log an error that nobody foresaw, and answer without a word about its inside."""
    request_id = find_request_id(scope)
    # Only the frames: the exception's own text may quote the document.
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("request %s failed with %s\n%s", request_id, type(error).__name__, frames)
    message = f"The service failed on this request; its log has the cause under {request_id}."
    return problem_response(ServiceError(message), request_id, str(scope.get("path", "")))


async def _answer_known_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError | HttpError)
    headers = {"WWW-Authenticate": request.app.state.authenticator.challenge} if error.status == 401 else None
    return problem_response(error, find_request_id(request.scope), request.url.path, headers=headers)


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    known: ServiceError | HttpError
    if error.status_code == 404:
        known = NotFound(f"Nothing is served at {path}.")
    elif error.status_code == 405:
        known = MethodNotAllowed(f"{path} does not answer {request.method}.")
    elif error.status_code == 400:
        known = BadRequest("The request's body cannot be read.")
    else:
        # The framework raises no other status here; if it ever does, its kind is kept and its words are not.
        known = next(
            (kind() for kind in ERROR_CODES.values() if kind.status == error.status_code), ServiceError()
        )
    return problem_response(known, find_request_id(request.scope), path, headers=error.headers)


async def _answer_invalid_options(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = [
        FieldProblem(field=_name_field(item), message=_describe_fault(item)) for item in error.errors()
    ]
    named = ", ".join(dict.fromkeys(problem.field for problem in problems))
    known = InvalidOption(f"Not valid: {named}.")
    return problem_response(known, find_request_id(request.scope), request.url.path, problems)


def _name_field(item: Mapping[str, Any]) -> str:
    return ".".join(str(part) for part in item["loc"])[:100] or "options"


def _describe_fault(item: Mapping[str, Any]) -> str:
    return "Unknown option" if item["type"] == "extra_forbidden" else str(item["msg"])

"""The registry of error codes: the service's own tree, and the few errors that only HTTP knows."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

from deployments.errors import ServiceError
from deployments.input_errors import InputError


class HttpError(Exception):
    """What can go wrong before there is a document; ``message`` is public, as that of a `ServiceError`."""

    code: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message or self.title


class NotFound(HttpError):
    """No resource has this path."""

    code = "not_found"
    status = 404
    title = "Not found"


class DocumentNotFound(HttpError):
    """No document is kept under this id for this caller, or not any more."""

    code = "document_not_found"
    status = 404
    title = "Document not found"


class MethodNotAllowed(HttpError):
    """The resource has no such method."""

    code = "method_not_allowed"
    status = 405
    title = "Method not allowed"


class NotAcceptable(HttpError):
    """The answer exists in none of the forms that the caller accepts."""

    code = "not_acceptable"
    status = 406
    title = "Not acceptable"


class RequestTimeout(HttpError):
    """The request's body took longer to arrive than it may."""

    code = "request_timeout"
    status = 408
    title = "Request timeout"


class Forbidden(HttpError):
    """Whoever calls is known, and may not do this."""

    code = "forbidden"
    status = 403
    title = "Forbidden"


class ReferenceNotAllowed(HttpError):
    """The operator does not let callers name a document by such an address, or by any."""

    code = "reference_not_allowed"
    status = 403
    title = "Reference not allowed"


class ReferenceUnreachable(HttpError):
    """No document came from the address that the caller named."""

    code = "reference_unreachable"
    status = 422
    title = "Reference unreachable"


class ReferenceTimeout(HttpError):
    """The document at the address that the caller named did not come in time."""

    code = "reference_timeout"
    status = 422
    title = "Reference timeout"


class ReferenceTooLarge(HttpError):
    """The document at the address that the caller named has more bytes than the service takes."""

    code = "reference_too_large"
    status = 413
    title = "Reference too large"


class Conflict(HttpError):
    """The resource is in a state that does not allow this."""

    code = "conflict"
    status = 409
    title = "Conflict"


class JobNotFound(HttpError):
    """The caller has no job, file, or upload under this id."""

    code = "job_not_found"
    status = 404
    title = "Job not found"


class ResultNotReady(HttpError):
    """The file has no result in this form, or not yet."""

    code = "result_not_ready"
    status = 409
    title = "Result not ready"


class JobExpired(HttpError):
    """The documents and results of the job are deleted."""

    code = "job_expired"
    status = 410
    title = "Job expired"


class IdempotencyKeyReused(HttpError):
    """The same idempotency key came with another request before."""

    code = "idempotency_key_reused"
    status = 422
    title = "Idempotency key reused"


class UploadsUnavailable(HttpError):
    """The storage of this service takes no uploads of its own."""

    code = "uploads_unavailable"
    status = 422
    title = "Uploads unavailable"


class RateLimited(HttpError):
    """The caller has used up what it may use; the same request can be sent again after ``retry_after_s``."""

    code = "rate_limited"
    status = 429
    title = "Rate limited"

    def __init__(self, message: str = "", retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


ErrorKind = type[ServiceError] | type[HttpError]


def _walk_tree(root: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield root
    for child in root.__subclasses__():
        yield from _walk_tree(child)


# `InputError` is below `ServiceError`; named, its branch is there whoever else has imported it.
_SERVICE_ERRORS = {kind.code: kind for root in (ServiceError, InputError) for kind in _walk_tree(root)}

# Every kind of error by its code; `status` and `title` are on the class. The root of the tree is
# `internal_error`; HttpError itself has no code.
ERROR_CODES: Mapping[str, ErrorKind] = MappingProxyType(
    {**_SERVICE_ERRORS, **{kind.code: kind for kind in HttpError.__subclasses__()}}
)


def rebuild_error(code: str, message: str) -> ServiceError:
    """Make the error that a page carries as code and message; an unknown code is an internal error."""
    return _SERVICE_ERRORS.get(code, ServiceError)(message)

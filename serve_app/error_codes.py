"""The registry of error codes: the service's own tree, and the few errors that only HTTP knows."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

from deployments.errors import ServiceError


class NotFound(ServiceError):
    """No resource has this path."""

    code: ClassVar[str] = "not_found"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "Not found"


class MethodNotAllowed(ServiceError):
    """The resource has no such method."""

    code: ClassVar[str] = "method_not_allowed"
    status: ClassVar[int] = 405
    title: ClassVar[str] = "Method not allowed"


class RequestTimeout(ServiceError):
    """The request's body took longer to arrive than it may."""

    code: ClassVar[str] = "request_timeout"
    status: ClassVar[int] = 408
    title: ClassVar[str] = "Request timeout"


def _walk_tree(root: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield root
    for child in root.__subclasses__():
        yield from _walk_tree(child)


# Every class of the tree by its code; `status` and `title` are on the class. The root is `internal_error`.
ERROR_CODES: Mapping[str, type[ServiceError]] = MappingProxyType(
    {kind.code: kind for kind in sorted(_walk_tree(ServiceError), key=lambda kind: (kind.status, kind.code))}
)


def rebuild_error(code: str, message: str) -> ServiceError:
    """Make the error that a page carries as code and message; an unknown code is an internal error."""
    return ERROR_CODES.get(code, ServiceError)(message)

"""Whose call this is: the request's id and its place in a trace, on the way from the edge to every replica.

Inside a process it is found without being handed through; a call of another replica carries it as an
argument.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class CallContext:
    """The id of a request, and the span that its next spans belong under (W3C `traceparent`).

    ``traceparent`` is empty where the request is not traced.
    """

    request_id: str = ""
    traceparent: str = ""


_current: ContextVar[CallContext | None] = ContextVar("call_context", default=None)


def current_call() -> CallContext | None:
    """The call that this task works for; None where it works for nobody in particular."""
    return _current.get()


@contextmanager
def within_call(call: CallContext | None) -> Iterator[None]:
    """Work for this call inside the block, tasks that begin there included."""
    token = _current.set(call)
    try:
        yield
    finally:
        _current.reset(token)

"""Spans of a request, where they are wanted: off, nothing here imports OpenTelemetry or looks at a clock.

They are wanted when `OTEL_EXPORTER_OTLP_ENDPOINT` (or `..._TRACES_ENDPOINT`) is in the environment of the
replicas. OpenTelemetry's own variables say the rest: headers, sampling, the service's name.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Protocol

from deployments.call_context import CallContext, current_call, within_call

_SWITCHES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

Attribute = str | int | float | bool


class Span(Protocol):
    """A stretch of time with a name; ``traceparent`` is empty where it is not recorded."""

    traceparent: str

    def set(self, **attributes: Attribute) -> None:
        """Say more about it."""
        ...

    def rename(self, name: str) -> None:
        """Give it the name that only its end knows."""
        ...

    def link(self, traceparent: str) -> None:
        """Point at another span."""
        ...

    def fail(self, kind: str) -> None:
        """Mark it as failed, with the kind of the error and none of its words."""
        ...

    def end(self) -> None:
        """Close it."""
        ...


class SpanMaker(Protocol):
    """Makes spans and exports them in the background."""

    def start(
        self,
        name: str,
        parent: str,
        links: Sequence[str] = (),
        attributes: Mapping[str, Attribute] | None = None,
        *,
        serves: bool = False,
    ) -> Span:
        """A span under ``parent`` (a `traceparent`; empty for the first of a trace)."""
        ...


_maker: SpanMaker | None = None
_span: ContextVar[Span | None] = ContextVar("span", default=None)


def start_tracing(deployment: str, environment: Mapping[str, str] = os.environ) -> None:
    """Export the spans of this process from now on, if the environment says where to."""
    if _maker is not None or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    if any(environment.get(name) for name in _SWITCHES):
        from deployments.otlp_spans import OtlpSpans

        use_span_maker(OtlpSpans.from_environment(deployment))


def use_span_maker(maker: SpanMaker | None) -> None:
    """Make spans with this from now on; None for no spans."""
    global _maker
    _maker = maker


@contextmanager
def trace_request(request_id: str, traceparent: str) -> Iterator[Span | None]:
    """A request's first span here, under the caller's ``traceparent`` where that is one.

    Whatever happens inside the block belongs to the request.
    """
    if _maker is None:
        with within_call(CallContext(request_id)):
            yield None
        return
    span = _maker.start("request", traceparent, (), {"request_id": request_id}, serves=True)
    with _entered(span, CallContext(request_id)):
        yield span


@contextmanager
def trace_span(name: str, *, serves: bool = False, **attributes: Attribute) -> Iterator[Span | None]:
    """A span of the request that this task works for; None where that is not traced."""
    call = current_call()
    if _maker is None or call is None or not call.traceparent:
        yield None
        return
    span = _maker.start(name, call.traceparent, (), attributes, serves=serves)
    with _entered(span, call):
        yield span


@contextmanager
def _entered(span: Span, call: CallContext) -> Iterator[None]:
    token = _span.set(span)
    try:
        with within_call(replace(call, traceparent=span.traceparent)):
            yield
    except BaseException as error:
        span.fail(type(error).__name__)
        raise
    finally:
        _span.reset(token)
        span.end()


def current_span() -> Span | None:
    """The span that this task is in."""
    return _span.get() if _maker is not None else None


def current_trace_id() -> str:
    """The id of the trace that this task is part of; empty where it is not traced."""
    call = current_call()
    return call.traceparent.split("-")[1] if call is not None and call.traceparent else ""


def start_batch_span(name: str, spans: Sequence[Span | None]) -> Span | None:
    """A span of work for several requests, under the first of them and linked with each; None for none.

    The requests' own spans point at it, so that every trace leads to the batch that it was part of.
    """
    traced = [span for span in spans if span is not None and span.traceparent]
    if _maker is None or not traced:
        return None
    links = [span.traceparent for span in traced]
    batch = _maker.start(name, links[0], links)
    for span in traced:
        span.link(batch.traceparent)
    return batch

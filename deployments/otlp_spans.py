"""Spans by OpenTelemetry's SDK, sent as OTLP over HTTP. The only importer of it; see `deployments.tracing`.

The provider is this module's own and no global one: Ray has providers of its own in the same processes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Link,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

_PROPAGATOR = TraceContextTextMapPropagator()


class OtlpSpan:
    """See `deployments.tracing.Span`."""

    def __init__(self, span: Any) -> None:
        self._span = span
        carrier: dict[str, str] = {}
        if span.is_recording():
            _PROPAGATOR.inject(carrier, set_span_in_context(span))
        self.traceparent = carrier.get("traceparent", "")

    def set(self, **attributes: AttributeValue) -> None:
        """Say more about it."""
        self._span.set_attributes(attributes)

    def rename(self, name: str) -> None:
        """Give it the name that only its end knows."""
        self._span.update_name(name)

    def link(self, traceparent: str) -> None:
        """Point at another span."""
        if traceparent and self._span.is_recording():
            self._span.add_link(_read(traceparent))

    def fail(self, kind: str) -> None:
        """Mark it as failed."""
        self._span.set_attribute("error.type", kind)
        self._span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        """Close it."""
        self._span.end()


class OtlpSpans:
    """See `deployments.tracing.SpanMaker`."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("ocr-serve")

    @classmethod
    def from_environment(cls, deployment: str) -> "OtlpSpans":
        """Exports as OpenTelemetry's own variables say, from a thread of its own."""
        # The environment's own attributes and name win.
        resource = Resource({"service.name": "ocr-serve", "service.instance.deployment": deployment})
        provider = TracerProvider(resource=resource.merge(_named_by_environment()))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider)

    def start(
        self,
        name: str,
        parent: str,
        links: Sequence[str] = (),
        attributes: Mapping[str, AttributeValue] | None = None,
        *,
        serves: bool = False,
    ) -> OtlpSpan:
        """A span under ``parent``."""
        return OtlpSpan(
            self._tracer.start_span(
                name,
                context=_PROPAGATOR.extract({"traceparent": parent}),
                kind=SpanKind.SERVER if serves else SpanKind.INTERNAL,
                attributes=dict(attributes or {}),
                links=[Link(_read(link)) for link in links],
            )
        )


def _named_by_environment() -> Resource:
    found = Resource.create()
    name = str(found.attributes.get("service.name", ""))
    if not name.startswith("unknown_service"):
        return found
    return Resource({key: value for key, value in found.attributes.items() if key != "service.name"})


def _read(traceparent: str) -> SpanContext:
    return get_current_span(_PROPAGATOR.extract({"traceparent": traceparent})).get_span_context()

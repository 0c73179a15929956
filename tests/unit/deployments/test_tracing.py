"""Spans of requests, with a maker that keeps them."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from configs.settings import BatchKnobs
from deployments.batching import BatchQueue
from deployments.call_context import CallContext, current_call
from deployments.replica_logs import observe_call
from deployments.tracing import (
    current_trace_id,
    start_tracing,
    trace_request,
    trace_span,
    use_span_maker,
)
from deployments.usage import Usage
from deployments.worker import Worker


@dataclass
class KeptSpan:
    """See `deployments.tracing.Span`."""

    name: str
    parent: str
    traceparent: str
    links: list[str]
    attributes: dict[str, object]
    failure: str = ""
    ended: bool = False

    def set(self, **attributes: object) -> None:
        self.attributes |= attributes

    def rename(self, name: str) -> None:
        self.name = name

    def link(self, traceparent: str) -> None:
        self.links.append(traceparent)

    def fail(self, kind: str) -> None:
        self.failure = kind

    def end(self) -> None:
        self.ended = True


@dataclass
class KeptSpans:
    """See `deployments.tracing.SpanMaker`."""

    spans: list[KeptSpan] = field(default_factory=list)

    def start(
        self,
        name: str,
        parent: str,
        links: Sequence[str] = (),
        attributes: Mapping[str, object] | None = None,
        *,
        serves: bool = False,
    ) -> KeptSpan:
        number = len(self.spans) + 1
        trace = parent.split("-")[1] if parent else f"{number:032x}"
        span = KeptSpan(name, parent, f"00-{trace}-{number:016x}-01", list(links), dict(attributes or {}))
        self.spans.append(span)
        return span

    def named(self, name: str) -> list[KeptSpan]:
        return [span for span in self.spans if span.name == name]


@pytest.fixture
def kept() -> Iterator[KeptSpans]:
    """Spans of this test."""
    maker = KeptSpans()
    use_span_maker(maker)
    yield maker
    use_span_maker(None)


def test_off_nothing_is_imported() -> None:
    """Not by the flow, nor by the API: a request costs no more than without traces."""
    # Libraries of the API import OpenTelemetry's names by themselves; nobody imports what makes spans.
    code = (
        "import sys, deployments.flow, deployments.batching, serve_app.api.app;"
        "from deployments.tracing import start_tracing; start_tracing('Ingress', {});"
        "makers = ('opentelemetry.sdk', 'opentelemetry.exporter', 'deployments.otlp_spans');"
        "sys.exit(any(name.startswith(makers) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0


def test_off_a_request_has_its_id_all_the_same() -> None:
    """For logs; there is no span."""
    start_tracing("Ingress", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"})
    with trace_request("r1", "") as span, trace_span("detection") as inner:
        assert (span, inner) == (None, None)
        assert current_call() == CallContext("r1")
        assert current_trace_id() == ""
    assert current_call() is None


async def test_spans_are_under_each_other_over_tasks(kept: KeptSpans) -> None:
    """A page's stages are under the page, which is under the request, which is under the caller's span."""
    caller = f"00-{'ab' * 16}-{'cd' * 8}-01"

    async def read_page() -> None:
        with trace_span("page", number=1), trace_span("detection"):
            await asyncio.sleep(0)

    with trace_request("r1", caller):
        await asyncio.gather(*(asyncio.create_task(read_page()) for _ in range(2)))
        assert current_trace_id() == "ab" * 16
    (request,) = kept.named("request")
    assert request.parent == caller
    assert [page.parent for page in kept.named("page")] == [request.traceparent] * 2
    assert {found.parent for found in kept.named("detection")} == {
        page.traceparent for page in kept.named("page")
    }
    assert all(span.ended for span in kept.spans)


def test_an_error_is_marked_without_its_words(kept: KeptSpans) -> None:
    """They may quote the document."""
    with pytest.raises(ValueError, match="secret"), trace_request("r1", ""), trace_span("detection"):
        raise ValueError("secret")
    assert [span.failure for span in kept.spans] == ["ValueError", "ValueError"]
    assert "secret" not in str(kept.spans)


async def test_a_batch_is_linked_with_every_request_in_it(kept: KeptSpans) -> None:
    """Two callers, one batch: it points at both, and both point at it."""
    usage = Usage()
    queue = BatchQueue[int, int](
        lambda requests, _: [request * 2 for request in requests],
        Worker("w", usage=usage),
        usage,
        name="stage",
    )
    queue.change_knobs(BatchKnobs(max_batch_size=2, batch_wait_timeout_s=1.0))

    async def call(number: int) -> int:
        context = CallContext(f"r{number}", f"00-{number:032x}-{number:016x}-01")
        with observe_call("stage", "submit", context):
            return await queue.submit(number)

    assert await asyncio.gather(call(1), call(2)) == [2, 4]
    (batch,) = kept.named("stage.batch")
    calls = kept.named("stage.submit")
    assert batch.parent == calls[0].traceparent
    assert batch.links == [span.traceparent for span in calls]
    assert batch.attributes["items"] == 2
    for span in calls:
        assert batch.traceparent in span.links
        assert span.attributes["queue_ms"] >= 0
    assert all(span.ended for span in kept.spans)

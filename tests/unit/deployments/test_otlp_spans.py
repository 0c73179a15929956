"""Spans by OpenTelemetry, sent to a receiver as a collector is one."""

import time

import pytest

from deployments.otlp_spans import OtlpSpans

from otlp_receiver import OtlpReceiver, receiving_traces

CALLER = f"00-{'ab' * 16}-{'cd' * 8}-01"


def wait_for_spans(receiver: OtlpReceiver, count: int) -> None:
    """Until so many have arrived; bounded."""
    deadline = time.monotonic() + 30
    while len(receiver.spans) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(receiver.spans)} of {count} spans arrived")
        time.sleep(0.05)


def test_spans_arrive_with_parents_links_and_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the caller's own span; the operator's name of the service wins."""
    with receiving_traces() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "ocr-of-the-shop")
        spans = OtlpSpans.from_environment("Ingress")
        request = spans.start("request", CALLER, (), {"request_id": "r1"}, serves=True)
        batch = spans.start("batch", request.traceparent, [request.traceparent])
        request.link(batch.traceparent)
        request.rename("POST /ocr")
        request.fail("stage_failed")
        batch.set(items=2)
        batch.end()
        request.end()
        wait_for_spans(receiver, 2)
        by_name = {span.name: span for span in receiver.spans}
    assert by_name["POST /ocr"].trace_id == by_name["batch"].trace_id == "ab" * 16
    assert by_name["POST /ocr"].parent_id == "cd" * 8
    assert by_name["POST /ocr"].attributes == {"request_id": "r1", "error.type": "stage_failed"}
    assert by_name["POST /ocr"].links == (by_name["batch"].span_id,)
    assert by_name["batch"].parent_id == by_name["POST /ocr"].span_id
    assert by_name["batch"].links == (by_name["POST /ocr"].span_id,)
    assert by_name["batch"].attributes == {"items": 2}
    assert {span.service for span in receiver.spans} == {"ocr-of-the-shop"}


@pytest.mark.parametrize("parent", ["", "nonsense", "00-zz-1-01"])
def test_a_caller_without_a_trace_begins_one(parent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the header holds."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    span = OtlpSpans.from_environment("Ingress").start("request", parent)
    assert span.traceparent.startswith("00-")
    assert int(span.traceparent[-2:], 16) & 1


def test_who_is_not_sampled_is_not_traced_further(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nothing below makes spans for nobody."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    spans = OtlpSpans.from_environment("Ingress")
    assert spans.start("request", CALLER[:-2] + "00").traceparent == ""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    assert OtlpSpans.from_environment("Ingress").start("request", "").traceparent == ""

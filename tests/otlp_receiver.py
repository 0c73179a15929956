"""A collector of traces for tests: takes OTLP over HTTP as a real one does, and keeps the spans."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class ReceivedSpan:
    """A span as it arrived; ids in hexadecimal digits, ``links`` are span ids."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    links: tuple[str, ...]
    service: str


@dataclass
class OtlpReceiver:
    """Where spans arrive."""

    url: str = ""
    spans: list[ReceivedSpan] = field(default_factory=list)

    def add(self, body: bytes) -> None:
        """Take one export request. Raises `DecodeError` for what is none."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = _read_attributes(resource.resource.attributes).get("service.name", "")
            for scope in resource.scope_spans:
                self.spans += [_read_span(span, service) for span in scope.spans]

    def trace(self, trace_id: str) -> list[ReceivedSpan]:
        """The spans of one trace that have arrived."""
        return [span for span in self.spans if span.trace_id == trace_id]


@contextmanager
def receiving_traces() -> Iterator[OtlpReceiver]:
    """A receiver on a port of its own."""
    receiver = OtlpReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            receiver.add(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _read_span(span: Any, service: str) -> ReceivedSpan:
    links = tuple(link.span_id.hex() for link in span.links)
    return ReceivedSpan(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        _read_attributes(span.attributes),
        links,
        service,
    )


def _read_attributes(attributes: Any) -> dict[str, Any]:
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in attributes}

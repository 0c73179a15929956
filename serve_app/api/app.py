"""The HTTP API as one FastAPI application over a reader of documents; nothing here knows what reads them."""

from collections.abc import Callable, Sequence

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from configs.settings import Limits
from deployments.metric_table import NoRecorder, Recorder
from serve_app.access.counters import CounterStore
from serve_app.access.limiter import Limiter
from serve_app.access.local_counters import LocalCounters
from serve_app.api.debug import make_debug_router
from serve_app.api.extraction import make_extraction_router
from serve_app.api.gate import Gate
from serve_app.api.health import HealthProbe, make_health_router
from serve_app.api.job_events import make_job_events_router
from serve_app.api.job_results import make_job_results_router
from serve_app.api.job_uploads import make_job_uploads_router
from serve_app.api.jobs import make_job_status_router, make_jobs_router
from serve_app.api.keys import make_keys_router
from serve_app.api.metrics import ReadMetrics, make_metrics_router
from serve_app.api.middleware import ConnectionCloser, CrashBarrier, RequestIdMiddleware
from serve_app.api.ocr import make_ocr_router
from serve_app.api.openapi import add_openapi
from serve_app.api.reader import DocumentReader
from serve_app.api.ready import ReadinessProbe, make_ready_router
from serve_app.api.request_log import SLOW_REQUEST_S, RequestLog
from serve_app.api.request_trace import RequestTrace
from serve_app.api.structure import make_structure_router
from serve_app.auth import AuthSettings
from serve_app.errors import add_error_handlers
from serve_app.jobs.desk import JobDesk
from serve_app.outbound.references import References, ReferenceSettings

_PREFIXES = ("", "/v1")
# What pages may send; a Content-Type and an Accept they may send anyway.
_ACCEPTED_HEADERS = (
    "x-api-key",
    "authorization",
    "x-request-id",
    "last-event-id",
    "idempotency-key",
    "if-none-match",
    "traceparent",
    "tracestate",
)
_EXPOSED_HEADERS = (
    "X-Request-Id",
    "X-Document-Id",
    "X-Pages-Total",
    "X-Pages-Processed",
    "Content-Disposition",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "Location",
    "ETag",
)
_DESCRIPTION = (
    "Reads the text and the structure of images and PDF documents. Every answer carries `X-Request-Id`; "
    "every error is a problem document (RFC 9457) with a stable `code`."
)


def create_app(
    reader: DocumentReader,
    limits: Limits,
    auth: AuthSettings,
    version: str,
    *,
    jobs: JobDesk | None = None,
    references: References | None = None,
    counters: CounterStore | None = None,
    note_uncounted: Callable[[], None] = lambda: None,
    recorder: Recorder | None = None,
    read_metrics: ReadMetrics | None = None,
    slow_request_s: float = SLOW_REQUEST_S,
    proxy_echoes_id: bool = False,
    close_connections: bool = False,
) -> FastAPI:
    """Build the API over ``reader``; each route also stands under ``/v1``.

    ``jobs`` accepts jobs; without it there are none.
    ``references`` fetch documents that callers name by an address, none where nothing is given.
    ``counters`` count what callers use, in this process where nothing is given; ``note_uncounted`` is
    called for each request that they could not count. ``recorder`` takes the figures of requests, of which
    the slow ones are logged with their stages, and ``read_metrics`` gives those of the cluster.
    ``proxy_echoes_id`` says that whatever stands before the API puts `X-Request-Id` on every answer, and
    ``close_connections`` that it is to open a new connection for each request (see `ConnectionCloser`).
    Raises `ValueError` where keys cannot be read.
    """
    authenticator = auth.make_authenticator()
    # A place is kept for as long as a document may take to arrive, to be read and to be fetched.
    limiter = Limiter(counters or LocalCounters(), 3 * limits.request_timeout_s, note_uncounted)
    app = FastAPI(
        title="OCR service",
        version=version,
        description=_DESCRIPTION,
        # The documentation page loads its scripts from elsewhere; /openapi.json stays.
        docs_url=None,
        redoc_url=None,
        # A redirected upload is sent twice, and the second time perhaps without its key.
        redirect_slashes=False,
        middleware=[
            *([Middleware(ConnectionCloser)] if close_connections else []),
            Middleware(RequestIdMiddleware, proxy_echoes=proxy_echoes_id),
            Middleware(RequestTrace),
            Middleware(RequestLog, recorder=recorder or NoRecorder(), slow_s=slow_request_s),
            *_make_inner_layers(auth.allowed_origins),
        ],
    )
    app.state.authenticator = authenticator
    app.state.references = references or References(ReferenceSettings())
    add_error_handlers(app)
    gate = Gate(auth.mode, authenticator, limiter)
    routers = [
        *_make_document_routers(reader, limits, gate),
        make_health_router(HealthProbe(reader, version)),
        make_ready_router(ReadinessProbe(reader)),
        make_debug_router(reader, gate.require("admin")),
    ]
    if read_metrics is not None:
        routers.append(make_metrics_router(read_metrics, gate.require("metrics")))
    if jobs is not None:
        routers += _make_job_routers(jobs, limits, gate)
    if authenticator.keys is not None:
        check_admin = gate.require("admin")
        routers.append(
            make_keys_router(authenticator.keys, auth.keys_file, limiter, auth.default_limits, check_admin)
        )
    for prefix in _PREFIXES:
        for router in routers:
            app.include_router(router, prefix=prefix)
    add_openapi(app)
    return app


def _make_document_routers(reader: DocumentReader, limits: Limits, gate: Gate) -> list[APIRouter]:
    return [
        make_ocr_router(reader, limits, gate.require("ocr")),
        make_structure_router(reader, limits, gate.require("structure")),
        make_extraction_router(reader, limits, gate.require("extraction")),
    ]


def _make_job_routers(jobs: JobDesk, limits: Limits, gate: Gate) -> list[APIRouter]:
    check = gate.require("jobs")
    return [
        make_jobs_router(jobs, limits, check),
        make_job_status_router(jobs, check),
        make_job_results_router(jobs, check),
        make_job_events_router(jobs, check),
        make_job_uploads_router(jobs, check),
    ]


def _make_inner_layers(allowed_origins: Sequence[str]) -> list[Middleware]:
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=allowed_origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=_ACCEPTED_HEADERS,
            expose_headers=_EXPOSED_HEADERS,
        ),
        Middleware(CrashBarrier),
    ]

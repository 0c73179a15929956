"""The HTTP API as one FastAPI application over a reader of documents; nothing here knows what reads them."""

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from configs.settings import Limits
from serve_app.api.debug import make_debug_router
from serve_app.api.extraction import make_extraction_router
from serve_app.api.health import HealthProbe, make_health_router
from serve_app.api.middleware import ConnectionCloser, CrashBarrier, RequestIdMiddleware
from serve_app.api.ocr import make_ocr_router
from serve_app.api.openapi import add_openapi
from serve_app.api.reader import DocumentReader
from serve_app.api.structure import make_structure_router
from serve_app.auth import AuthSettings, make_key_check
from serve_app.errors import add_error_handlers

_PREFIXES = ("", "/v1")
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
    proxy_echoes_id: bool = False,
    close_connections: bool = False,
) -> FastAPI:
    """Build the API over ``reader``; each route also stands under ``/v1``.

    ``proxy_echoes_id`` says that whatever stands before the API puts `X-Request-Id` on every answer, and
    ``close_connections`` that it is to open a new connection for each request (see `ConnectionCloser`).
    """
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
            Middleware(
                CORSMiddleware,
                allow_origins=auth.allowed_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["x-api-key", "x-request-id"],
                expose_headers=["X-Request-Id", "X-Document-Id", "Retry-After", "Location", "ETag"],
            ),
            Middleware(CrashBarrier),
        ],
    )
    add_error_handlers(app)
    check_key = make_key_check(auth)
    routers = (
        make_ocr_router(reader, limits, check_key),
        make_structure_router(reader, limits, check_key),
        make_extraction_router(reader, limits, check_key),
        make_health_router(HealthProbe(reader, version)),
        make_debug_router(reader, check_key),
    )
    for prefix in _PREFIXES:
        for router in routers:
            app.include_router(router, prefix=prefix)
    add_openapi(app)
    return app

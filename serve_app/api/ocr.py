"""`POST /ocr`: a document in, its text out."""

import asyncio
import time

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from configs.settings import Limits
from deployments.document import Document
from serve_app.api.openapi import OCR_PROBLEMS, UPLOAD_OPENAPI, describe_problems
from serve_app.api.reader import DocumentReader
from serve_app.api.upload import read_upload
from serve_app.auth import KeyCheck
from serve_app.deadlines import limit_reading, limit_time
from serve_app.error_codes import RequestTimeout, rebuild_error
from serve_app.errors import find_request_id
from serve_app.schemas import OcrResult


def make_ocr_router(reader: DocumentReader, limits: Limits, check_key: KeyCheck) -> APIRouter:
    """Make the route that reads documents; the key is checked before the body is looked at."""
    router = APIRouter(tags=["documents"], dependencies=[Depends(check_key)])

    @router.post(
        "/ocr",
        summary="Read the text of an image or a PDF",
        response_model=OcrResult,
        responses=describe_problems(OCR_PROBLEMS),
        openapi_extra=UPLOAD_OPENAPI,
    )
    async def read_document(request: Request) -> Response:
        start_s = time.perf_counter()
        # Before the body is looked at: a service without room need not hold what it will refuse.
        reader.check_room()
        arrival_s = limits.request_timeout_s
        async with limit_time(
            arrival_s, RequestTimeout(f"The document took more than {arrival_s:g} s to arrive.")
        ):
            upload = await read_upload(request, limits.max_bytes)
        async with limit_reading(upload.options, limits):
            document = await reader.read(upload.data, upload.options.to_read_options())
        raise_only_error(document)
        total_ms = (time.perf_counter() - start_s) * 1e3
        # A long document takes a good part of a second to write, which other requests need not wait for.
        result = await asyncio.to_thread(
            OcrResult.from_document, document, upload.options, find_request_id(request.scope), total_ms
        )
        timing = ", ".join(f"{stage};dur={elapsed_ms:g}" for stage, elapsed_ms in result.timings_ms.items())
        body = await asyncio.to_thread(result.to_json)
        return Response(body, media_type="application/json", headers={"Server-Timing": timing})

    return router


def raise_only_error(document: Document) -> None:
    """Raise the error of a document whose only page failed: an answer without any text is no success."""
    failed = document.pages[0].error if document.pages_total == 1 and document.pages else None
    if failed is not None:
        raise rebuild_error(failed.code, failed.message)

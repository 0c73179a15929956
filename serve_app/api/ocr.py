"""`POST /ocr`: a document in, its text out."""

import asyncio

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from configs.settings import Limits
from serve_app.access.record import find_owner
from serve_app.api.openapi import OCR_PROBLEMS, describe_problems, describe_streams, describe_upload
from serve_app.api.reader import DocumentReader
from serve_app.api.reading import read_arrival, receive_document
from serve_app.api.streaming import choose_stream, stream_document
from serve_app.auth import KeyCheck
from serve_app.deadlines import limit_reading
from serve_app.errors import find_request_id
from serve_app.results import OcrPage
from serve_app.schemas import OcrOptions, OcrResult


def make_ocr_router(reader: DocumentReader, limits: Limits, check_key: KeyCheck) -> APIRouter:
    """Make the route that reads documents; the key is checked before the body is looked at."""
    router = APIRouter(tags=["documents"], dependencies=[Depends(check_key)])

    @router.post(
        "/ocr",
        summary="Read the text of an image or a PDF",
        response_model=OcrResult,
        responses={**describe_problems(OCR_PROBLEMS), 200: {"content": describe_streams()}},
        openapi_extra=describe_upload(OcrOptions),
    )
    async def read_document(request: Request) -> Response:
        stream = choose_stream(request.headers.get("accept", ""))
        arrival = await receive_document(request, reader, limits, OcrOptions)
        options = arrival.options.to_read_options()
        if stream is not None:
            return await stream_document(request, arrival, options, reader, limits, OcrPage.from_page, stream)
        async with limit_reading(arrival.options, limits):
            reading = await read_arrival(arrival, reader, options, find_owner(request.scope))
        total_ms = reading.total_ms()
        # A long document takes a good part of a second to write, which other requests need not wait for.
        result = await asyncio.to_thread(
            OcrResult.from_document,
            reading.document,
            reading.options,
            find_request_id(request.scope),
            total_ms,
            reading.document_id,
        )
        body = await asyncio.to_thread(result.to_json)
        return Response(body, media_type="application/json", headers=reading.headers(total_ms))

    return router

"""`POST /extraction`: a document in, its fields out, each with its place."""

import asyncio

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from configs.settings import Limits
from serve_app.access.record import find_owner
from serve_app.api.extracting import extract_fields
from serve_app.api.openapi import EXTRACTION_PROBLEMS, describe_problems, describe_upload
from serve_app.api.reader import DocumentReader
from serve_app.api.reading import receive_document
from serve_app.auth import KeyCheck
from serve_app.deadlines import limit_reading
from serve_app.errors import find_request_id
from serve_app.schemas import ExtractionOptions, ExtractionResult


def make_extraction_router(reader: DocumentReader, limits: Limits, check_key: KeyCheck) -> APIRouter:
    """Make the route that extracts fields; the key is checked before anything else."""
    router = APIRouter(tags=["documents"], dependencies=[Depends(check_key)])

    @router.post(
        "/extraction",
        summary="Find the fields of a receipt, an invoice or a form",
        response_model=ExtractionResult,
        responses=describe_problems(EXTRACTION_PROBLEMS),
        openapi_extra=describe_upload(ExtractionOptions, needs_file=False),
    )
    async def extract(request: Request) -> Response:
        arrival = await receive_document(request, reader, limits, ExtractionOptions)
        async with limit_reading(arrival.options, limits):
            result = await extract_fields(
                reader,
                find_owner(request.scope),
                arrival.data or None,
                arrival.options,
                limits,
                find_request_id(request.scope),
                arrival.start_s,
            )
        body = await asyncio.to_thread(result.to_json)
        headers = {
            "Server-Timing": ", ".join(f"{stage};dur={ms:g}" for stage, ms in result.timings_ms.items()),
            "X-Pages-Total": str(result.pages_total),
            "X-Pages-Processed": str(result.pages_processed),
            **({} if result.document_id is None else {"X-Document-Id": result.document_id}),
        }
        return Response(body, media_type="application/json", headers=headers)

    return router

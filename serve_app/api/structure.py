"""`POST /structure`: a document in, its blocks and tables out, in the form that the caller wants."""

import asyncio

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from configs.settings import Limits
from serve_app.access.record import find_owner
from serve_app.api.formats import BINARY, MEDIA_TYPES, choose_format, describe_file, to_read_options
from serve_app.api.openapi import STRUCTURE_PROBLEMS, describe_problems, describe_streams, describe_upload
from serve_app.api.reader import DocumentReader
from serve_app.api.reading import Arrival, Reading, read_arrival, receive_document
from serve_app.api.streaming import choose_stream, stream_document
from serve_app.api.writing import check_form, write_form
from serve_app.auth import KeyCheck
from serve_app.deadlines import limit_reading
from serve_app.errors import find_request_id
from serve_app.options import ResultFormat
from serve_app.schemas import StructureOptions, StructureResult
from serve_app.structure_results import StructurePage


def make_structure_router(reader: DocumentReader, limits: Limits, check_key: KeyCheck) -> APIRouter:
    """Make the route that reads the structure of documents; the key is checked before anything else."""
    router = APIRouter(tags=["documents"], dependencies=[Depends(check_key)])

    @router.post(
        "/structure",
        summary="Read the structure of an image or a PDF",
        response_model=StructureResult,
        responses={**describe_problems(STRUCTURE_PROBLEMS), 200: _describe_forms()},
        openapi_extra=describe_upload(StructureOptions),
    )
    async def read_structure(request: Request) -> Response:
        # Asked first: nobody shall wait for an answer in a form that there is not.
        accept = request.headers.get("accept", "")
        stream = choose_stream(accept)
        accepted = "json" if stream else choose_format(accept)
        arrival = await receive_document(request, reader, limits, StructureOptions)
        if stream is not None and arrival.options.format is None:
            options = to_read_options(arrival.options, "json")
            return await stream_document(
                request, arrival, options, reader, limits, StructurePage.from_page, stream
            )
        form = arrival.options.format or accepted
        # Writing counts too: it may take as long as reading.
        async with limit_reading(arrival.options, limits):
            return await _answer(
                arrival, form, reader, find_owner(request.scope), find_request_id(request.scope)
            )

    return router


async def _answer(
    arrival: Arrival[StructureOptions],
    form: ResultFormat,
    reader: DocumentReader,
    owner: str,
    request_id: str,
) -> Response:
    options = to_read_options(arrival.options, form)
    await check_form(form, reader, arrival.data, options)
    reading = await read_arrival(arrival, reader, options, owner)
    if form == "json":
        total_ms = reading.total_ms()
        body = await asyncio.to_thread(_write_json, reading, request_id, total_ms)
    else:
        body = await write_form(form, reader, arrival.data, reading.document, options)
        total_ms = reading.total_ms()
    headers = {**reading.headers(total_ms), **describe_file(form), "Vary": "Accept"}
    return Response(body, media_type=MEDIA_TYPES[form], headers=headers)


def _write_json(reading: Reading[StructureOptions], request_id: str, total_ms: float) -> bytes:
    result = StructureResult.from_document(
        reading.document, reading.options, request_id, total_ms, reading.document_id
    )
    return result.to_json()


def _describe_forms() -> dict[str, object]:
    schemas = {
        media_type: {"type": "string", **({"format": "binary"} if form in BINARY else {})}
        for form, media_type in MEDIA_TYPES.items()
        if form != "json"
    }
    return {
        "description": "The document in the form of the option `format`, else of the header `Accept`.",
        "content": {
            **{media_type: {"schema": schema} for media_type, schema in schemas.items()},
            **describe_streams(),
        },
    }

"""From a document, sent or kept, to its fields: what the HTTP route and the Python handle both do."""

import time

from configs.settings import Limits
from deployments.document import Document
from serve_app.access.record import count_pages
from serve_app.api.reader import FieldsReader
from serve_app.api.reading import raise_only_error
from serve_app.error_codes import DocumentNotFound
from serve_app.extraction_options import ExtractionOptions
from serve_app.extraction_results import ExtractionResult

# What is left of a request's time when a language model must have answered: the rules still have to.
_SHARE_OF_TIME = 0.9


async def extract_fields(
    reader: FieldsReader,
    owner: str,
    data: bytes | None,
    options: ExtractionOptions,
    limits: Limits,
    request_id: str,
    start_s: float | None = None,
) -> ExtractionResult:
    """The fields of a file, or of the kept document that the options name.

    What was read of the same file before is not read again. ``start_s`` is when the request came
    (`time.perf_counter`). Raises `ServiceError`, and `DocumentNotFound`.
    """
    start_s = time.perf_counter() if start_s is None else start_s
    request = options.to_request()
    await reader.check_extraction(request)
    document_id, document, stage_ms = await _get_document(reader, owner, data, options)
    extraction_start_s = time.perf_counter()
    limit_s = min(options.timeout_s or limits.request_timeout_s, limits.request_timeout_s)
    left_s = max(0.0, limit_s - (extraction_start_s - start_s))
    found = await reader.extract(document, request, _SHARE_OF_TIME * left_s)
    now_s = time.perf_counter()
    timings_ms = {
        **stage_ms,
        "extraction": round((now_s - extraction_start_s) * 1e3, 2),
        "total": round((now_s - start_s) * 1e3, 2),
    }
    return ExtractionResult.from_fields(found, document, options, request_id, document_id, timings_ms)


async def _get_document(
    reader: FieldsReader, owner: str, data: bytes | None, options: ExtractionOptions
) -> tuple[str | None, Document, dict[str, float]]:
    """The document with its id and the times of its reading, which are none when it was kept."""
    if options.document_id is not None:
        document = await reader.open_kept(owner, options.document_id)
        if document is None:
            raise DocumentNotFound("No document is kept under this document_id: send the file again.")
        return options.document_id, document, {}
    assert data is not None
    read_options = options.to_read_options()
    kept = await reader.find_kept(owner, data, read_options)
    if kept is not None:
        return *kept, {}
    document = await reader.read(data, read_options)
    count_pages(document.pages)
    raise_only_error(document)
    return await reader.keep(owner, data, document), document, document.stage_ms

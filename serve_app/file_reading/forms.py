"""Results of one file in all forms that are wanted, from the pages that a server has sent."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from configs.settings import RendererStage
from deployments.document import Document, ReadOptions
from deployments.flow import PageSource
from deployments.page_sources import RemoteFile, open_image, open_pdf
from deployments.sandbox.files import SandboxedFiles
from deployments.searchable.text import lay_out_page
from deployments.vision.images import sniff_kind
from serve_app.api.formats import needs_words
from serve_app.api.writing import check_form, write_form
from serve_app.file_reading.rebuilding import rebuild_document
from serve_app.options import ResultFormat
from serve_app.reading_task import ReadingTask
from serve_app.schemas import StructureOptions, StructureResult
from serve_app.structure_results import without_words

_MAX_PIXELS = 100_000_000
_PAGE_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class ReadPages:
    """What a stream of pages told: its start, its pages in order, and milliseconds of the stages."""

    start: Mapping[str, Any]
    pages: Sequence[Mapping[str, Any]]
    timings_ms: Mapping[str, float]


def fields_to_send(task: ReadingTask) -> dict[str, str | Sequence[str]]:
    """The options of a request for JSON from which all forms of the task can be written."""
    fields = dict(task.fields)
    if task.name == "structure" and any(map(needs_words, task.forms)):
        fields["words"] = "true"
    return fields


class FormWriter:
    """Writes forms; the user's files are parsed in a process of their own, which a file may kill."""

    def __init__(self) -> None:
        self._files: SandboxedFiles | None = None

    def close(self) -> None:
        """End the process."""
        if self._files is not None:
            self._files.sandbox.close()

    async def write_all(self, task: ReadingTask, data: bytes, read: ReadPages) -> dict[ResultFormat, bytes]:
        """Every form of the task. Raises `ServiceError` for a form that cannot be written."""
        if task.name == "ocr":
            return await asyncio.to_thread(_write_texts, task, read)
        document = await asyncio.to_thread(rebuild_document, read.pages, read.start["pages_total"])
        options = task.options.to_read_options()
        contents: dict[ResultFormat, bytes] = {}
        for form in task.forms:
            if form == "json":
                contents[form] = await asyncio.to_thread(_write_structure, task, document, read)
            else:
                await check_form(form, self, data, options)
                contents[form] = await write_form(form, self, data, document, options)
        return contents

    async def write_pdf(self, data: bytes, document: Document) -> bytes:
        """The pages of a document as a PDF with their text over them."""
        pages = await asyncio.to_thread(lambda: tuple(map(lay_out_page, document.pages)))
        file = np.frombuffer(data, np.uint8)
        return await self._open_files().write_pdf(uuid.uuid4().hex, file, pages, _MAX_PIXELS)

    @asynccontextmanager
    async def open_pages(self, data: bytes, options: ReadOptions) -> AsyncIterator[PageSource]:
        """The pages of a file as pixels."""
        call = self._open_files().call
        file = RemoteFile(call, uuid.uuid4().hex, np.frombuffer(data, np.uint8))
        yield await (
            open_image(file, _MAX_PIXELS) if sniff_kind(data) == "image" else open_pdf(file, options)
        )

    def _open_files(self) -> SandboxedFiles:
        if self._files is None:
            self._files = SandboxedFiles(RendererStage(processes=1, page_timeout_s=_PAGE_TIMEOUT_S))
        return self._files


def _write_texts(task: ReadingTask, read: ReadPages) -> dict[ResultFormat, bytes]:
    text = "\n\n".join(page["text"] for page in read.pages if "error" not in page)
    contents: dict[ResultFormat, bytes] = {}
    for form in task.forms:
        contents[form] = text.encode() if form == "text" else _write_ocr(read, text)
    return contents


def _write_ocr(read: ReadPages, text: str) -> bytes:
    """The answer of `POST /ocr`, in the order of its fields."""
    result = {
        "request_id": read.start["request_id"],
        "pages_total": read.start["pages_total"],
        "pages_processed": sum("error" not in page for page in read.pages),
        "text": text,
        "pages": read.pages,
        "models": read.start["models"],
        "options": read.start["options"],
        "timings_ms": read.timings_ms,
    }
    return json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode()


def _write_structure(task: ReadingTask, document: Document, read: ReadPages) -> bytes:
    """The answer of `POST /structure`."""
    if not task.options.words:
        document = without_words(document)
    options = StructureOptions.model_validate({**read.start["options"], "words": task.options.words})
    result = StructureResult.from_document(document, options, read.start["request_id"])
    whole = {**json.loads(result.to_json()), "models": read.start["models"], "timings_ms": read.timings_ms}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()

"""Results of one file in all forms that are wanted, from the pages that a server has sent."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from deployments.document import Document, PageImage, ReadOptions
from deployments.errors import MalformedPdf
from deployments.flow import PageSource
from deployments.searchable.text import TextPage, lay_out_page
from deployments.searchable.writer import open_writer
from deployments.vision.images import ImageDocument, sniff_kind
from deployments.vision.pdf import PdfDocument
from serve_app.api.formats import needs_words
from serve_app.api.writing import write_form
from serve_app.file_reading.rebuilding import rebuild_document
from serve_app.options import ResultFormat
from serve_app.reading_task import ReadingTask
from serve_app.schemas import StructureOptions, StructureResult

_MAX_PIXELS = 100_000_000
_PDF_TIMEOUT_S = 600.0


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
    """Writes forms; what parses the user's files runs in a process of its own, which a file may kill."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    async def write_all(self, task: ReadingTask, data: bytes, read: ReadPages) -> dict[ResultFormat, bytes]:
        """Every form of the task. Raises `ServiceError` for a form that cannot be written."""
        if task.name == "ocr":
            return await asyncio.to_thread(_write_texts, task, read)
        document = await asyncio.to_thread(rebuild_document, read.pages, read.start["pages_total"])
        contents: dict[ResultFormat, bytes] = {}
        for form in task.forms:
            if form == "json":
                contents[form] = await asyncio.to_thread(_write_structure, task, document, read)
            else:
                options = task.options.to_read_options()
                contents[form] = await write_form(form, self, data, document, options)
        return contents

    async def write_pdf(self, data: bytes, document: Document) -> bytes:
        """The pages of a document as a PDF with their text over them."""
        pages = await asyncio.to_thread(lambda: tuple(map(lay_out_page, document.pages)))
        return await self._run(_write_pdf, data, pages)

    @asynccontextmanager
    async def open_pages(self, data: bytes, options: ReadOptions) -> AsyncIterator[PageSource]:
        """The pages of a file as pixels."""
        yield _ForeignPages(self, data, options, await self._run(_count_pages, data))

    async def load_page(self, data: bytes, number: int, dpi: int) -> PageImage:
        """One page as pixels."""
        return await self._run(_load_page, data, number, dpi)

    async def _run(self, function: Any, *arguments: Any) -> Any:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        work = asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)
        try:
            async with asyncio.timeout(_PDF_TIMEOUT_S):
                return await work
        except (BrokenProcessPool, TimeoutError) as error:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
            raise MalformedPdf("The document cannot be written in this form.") from error


@dataclass
class _ForeignPages:
    """Pages that a process of the writer loads; see `deployments.flow.PageSource`."""

    writer: FormWriter
    data: bytes
    options: ReadOptions
    page_count: int
    first_page_px: int = 0

    async def load_page(self, number: int) -> PageImage:
        """Page ``number`` (from 1)."""
        return await self.writer.load_page(self.data, number, self.options.dpi)


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
        pages = [
            dataclasses.replace(
                page, lines=tuple(dataclasses.replace(line, words=None) for line in page.lines)
            )
            for page in document.pages
        ]
        document = dataclasses.replace(document, pages=tuple(pages))
    options = StructureOptions.model_validate({**read.start["options"], "words": task.options.words})
    result = StructureResult.from_document(document, options, read.start["request_id"])
    whole = {**json.loads(result.to_json()), "models": read.start["models"], "timings_ms": read.timings_ms}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def _write_pdf(data: bytes, pages: tuple[TextPage, ...]) -> bytes:
    writer = open_writer(data, _MAX_PIXELS)
    try:
        for page in pages:
            writer.add_page(page)
        return writer.save()
    finally:
        writer.close()


def _count_pages(data: bytes) -> int:
    if sniff_kind(data) == "image":
        return ImageDocument(data, _MAX_PIXELS).page_count
    with PdfDocument(data) as document:
        return document.page_count


def _load_page(data: bytes, number: int, dpi: int) -> PageImage:
    if sniff_kind(data) == "image":
        return ImageDocument(data, _MAX_PIXELS).read_page(number)
    with PdfDocument(data) as document:
        return document.render_page(number, dpi, _MAX_PIXELS)

"""Reads the documents of jobs with the deployments of the graph, in the lane of background work."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from configs.jobs import JobsStage
from configs.settings import DetectionStage, Limits
from deployments.blocks import Block
from deployments.document import Document, Page, ReadOptions
from deployments.flow import PageSource, read_page
from deployments.handles import Handle, RemoteStages
from deployments.input_errors import EmptyInput
from deployments.jobs.states import Order
from deployments.metric_table import NoRecorder
from deployments.reading import choose_pages
from deployments.stage_choice import fill_options
from deployments.structure.marks import mark_document
from serve_app.api.writing import write_form
from serve_app.graph_reader import GraphReader
from serve_app.jobs.orders import choose_reading, read_options
from serve_app.kept_documents import KeptDocuments
from serve_app.options import ResultFormat
from serve_app.schemas import (
    ExtractionOptions,
    ExtractionResult,
    OcrResult,
    StructureOptions,
    StructureResult,
)
from serve_app.webhooks import post_event


def make_job_work(
    stage: JobsStage,
    *,
    renderer: Handle,
    orientation: Handle,
    detection: Handle,
    recognizers: dict[str, Handle],
    optional: dict[str, Handle],
    extraction: Handle | None,
    languages: dict[str, tuple[str, ...]],
    detection_stage: DetectionStage,
    spread: int,
    limits: Limits,
) -> "GraphJobWork":
    """What reads the documents of jobs, from handles of the graph."""
    stages = RemoteStages(
        renderer,
        orientation,
        detection,
        recognizers,
        optional,
        languages,
        limits.max_pixels,
        spread,
        "background",
    )
    described = {"orientation": orientation, "detection": detection, **recognizers, **optional}
    return GraphJobWork(stage, stages, described, detection_stage, limits, extraction)


class GraphDocument:
    """A document that is read page by page; see `deployments.jobs.work.OpenDocument`."""

    def __init__(
        self, source: PageSource, numbers: Sequence[int], stages: RemoteStages, options: ReadOptions
    ) -> None:
        self.pages_total = source.page_count
        self.numbers = numbers
        self._source = source
        self._stages = stages.as_stages()
        self._options = options

    async def read_page(self, number: int) -> Page:
        """A page with its text or its error. Raises `Busy`."""
        return await read_page(number, self._source, self._stages, self._options)


class GraphJobWork:
    """A `deployments.jobs.work.JobWork` over handles: what the routes give for a file, without a queue."""

    def __init__(
        self,
        stage: JobsStage,
        stages: RemoteStages,
        described: dict[str, Handle],
        detection: DetectionStage,
        limits: Limits,
        extraction: Handle | None,
    ) -> None:
        self._stage = stage
        self._stages = stages
        self._detection = detection
        self._limits = limits
        kept = KeptDocuments(None)
        self._reader = GraphReader(
            stages, described, (), detection, limits, kept, extraction, {}, NoRecorder()
        )

    @asynccontextmanager
    async def open(self, data: bytes, order: Order) -> AsyncIterator[GraphDocument]:
        """Open a document. Raises `InputError` when it cannot be read as a whole."""
        if not data:
            raise EmptyInput("The document has no bytes.")
        options = fill_options(choose_reading(order), self._detection)
        async with self._stages.open_document(data, options) as source:
            numbers = choose_pages(source.page_count, options.pages, self._stage.max_pages)
            yield GraphDocument(source, numbers, self._stages, options)

    async def assemble(
        self, data: bytes, order: Order, pages: Sequence[Page], pages_total: int
    ) -> Mapping[str, bytes]:
        """The result of a document in each form that was ordered, from its pages in order."""
        options = fill_options(choose_reading(order), self._detection)
        models = await self._reader.choose_models(options)
        marked = await asyncio.to_thread(mark_document, pages)
        document = Document(marked, pages_total, models, _add_times(pages), options)
        if order.task == "extraction":
            return {"json": await self._extract(document, order)}
        written = {"json": await asyncio.to_thread(_write_json, document, order)}
        shown = _with_blocks(document) if order.task == "ocr" else document
        for form in order.formats:
            if form != "json":
                written[form] = await self._write(form, data, shown, options)  # type: ignore[arg-type]
        return written

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> int:
        """Send a body to a webhook's address; the status of the answer, 0 where there was none."""
        return await post_event(url, body, headers, timeout_s)

    async def _write(
        self, form: ResultFormat, data: bytes, document: Document, options: ReadOptions
    ) -> bytes:
        return await write_form(form, self._reader, data, document, options)

    async def _extract(self, document: Document, order: Order) -> bytes:
        options = read_options(order)
        assert isinstance(options, ExtractionOptions)
        found = await self._reader.extract(document, options.to_request(), self._limits.request_timeout_s)
        result = ExtractionResult.from_fields(
            found, document, options, order.request_id, None, document.stage_ms
        )
        return await asyncio.to_thread(result.to_json)


def _write_json(document: Document, order: Order) -> bytes:
    options = read_options(order)
    if not options.words:
        # Read for another form.
        document = dataclasses.replace(document, pages=tuple(map(_without_words, document.pages)))
    if isinstance(options, StructureOptions):
        return StructureResult.from_document(document, options, order.request_id).to_json()
    return OcrResult.from_document(document, options, order.request_id).to_json()


def _without_words(page: Page) -> Page:
    return dataclasses.replace(
        page, lines=tuple(dataclasses.replace(line, words=None) for line in page.lines)
    )


def _with_blocks(document: Document) -> Document:
    """A document without a structure as one with a paragraph a page, for the forms that show blocks."""
    pages = tuple(
        page
        if page.error is not None or not page.lines
        else dataclasses.replace(
            page, blocks=(Block("text", (0.0, 0.0, page.width, page.height), page.text),)
        )
        for page in document.pages
    )
    return dataclasses.replace(document, pages=pages)


def _add_times(pages: Sequence[Page]) -> dict[str, float]:
    """Milliseconds of each stage over all pages; a document of a job has no wall time of its own."""
    sums: dict[str, float] = {}
    for page in pages:
        for stage, elapsed_ms in page.stage_ms.items():
            sums[stage] = round(sums.get(stage, 0.0) + elapsed_ms, 2)
    return sums

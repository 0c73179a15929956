"""Reads documents with models in this process: what bulk reading does in each of its actors.

The way of a document is that of the service (`deployments.reading`, `serve_app.api.extracting`): nothing is
read in another way, only the stages are called without Ray.
"""

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

from configs.catalogue import load_catalogue
from configs.profile import AppArgs, Profile, choose_recognizers
from configs.rulebook import RuleBook
from configs.settings import RecognitionStage
from deployments.admission import Admission
from deployments.document import Document, ReadOptions
from deployments.extraction.fields import ExtractedFields
from deployments.extraction.wanted import ExtractionRequest
from deployments.extraction_flow import Extractors, check_request, extract
from deployments.flow import PageSource
from deployments.input_errors import StageNotInstalled
from deployments.local_stages import LocalStages
from deployments.metric_table import NoRecorder
from deployments.reading import FlowLimits, open_reading, read_all
from deployments.searchable.text import lay_out_page
from deployments.stage_choice import fill_options, list_stages
from serve_app.api.extracting import extract_fields
from serve_app.api.formats import needs_words, to_read_options
from serve_app.api.reading import raise_only_error
from serve_app.api.writing import check_form, write_form
from serve_app.extraction_options import ExtractionOptions
from serve_app.options import MAX_PAGE_NUMBERS, ResultFormat, StructureOptions
from serve_app.reading_task import ReadingTask
from serve_app.results import OcrPage
from serve_app.schemas import ExtractionPage, OcrResult, StructureResult
from serve_app.structure_results import without_words

_NO_LIMIT_S = 1e9

AnsweredPage = OcrPage | ExtractionPage


class LocalReader:
    """Reads the documents of one task. Belongs to one event loop; `close` ends its processes.

    Raises `ServiceError` for a task that the profile's models cannot do, and `ModelError`.
    """

    def __init__(self, profile: Profile, args: AppArgs, task: ReadingTask) -> None:
        own = profile.recognition
        others = [own.model_copy(update={"model": name}) for name in choose_recognizers(args)]
        recognizers: list[RecognitionStage] = [own, *others]
        self._profile = profile
        self._task = task
        options = task.options.to_read_options()
        self._stages = LocalStages(profile, recognizers, load_catalogue().languages(), options)
        self._models = self._stages.describe()
        self._limits = FlowLimits(MAX_PAGE_NUMBERS, profile.limits.pages_in_flight, profile.limits.max_pixels)
        # Whoever reads a bucket waits as long as it takes.
        self._admission = Admission(_NO_LIMIT_S, profile.limits.pixels_per_s)
        if task.name == "extraction":
            self._prepare_extraction()

    def close(self) -> None:
        """End the processes in which files are opened."""
        self._stages.close()

    async def make_results(self, data: bytes) -> tuple[dict[ResultFormat, bytes], Sequence[AnsweredPage]]:
        """All forms of the task for one document, and its pages. Raises `ServiceError`."""
        request_id = uuid.uuid4().hex
        if isinstance(self._task.options, ExtractionOptions):
            return await self._extract(data, self._task.options, request_id)
        if isinstance(self._task.options, StructureOptions):
            return await self._structure(data, self._task.options, request_id)
        document = await self.read(data, self._task.options.to_read_options())
        raise_only_error(document)
        result = await asyncio.to_thread(OcrResult.from_document, document, self._task.options, request_id)
        whole = {"json": result.to_json(), "text": document.text.encode()}
        return {form: whole[form] for form in self._task.forms}, result.pages

    async def read(self, data: bytes, options: ReadOptions) -> Document:
        """Every page of a document."""
        in_force = fill_options(options, self._profile.detection)
        models = tuple(self._models[name] for name in list_stages(in_force, self._stages.recognizer))
        opening = open_reading(
            data, self._stages.as_stages(), in_force, self._limits, self._admission, models
        )
        return await read_all(opening)

    def open_pages(self, data: bytes, options: ReadOptions) -> AbstractAsyncContextManager[PageSource]:
        """The pages of a document as pixels, one at a time."""
        return self._stages.open_document(data, options)

    async def write_pdf(self, data: bytes, document: Document) -> bytes:
        """The pages of a document as a PDF with their text."""
        pages = await asyncio.to_thread(lambda: tuple(map(lay_out_page, document.pages)))
        return await self._stages.write_pdf(data, pages)

    async def check_extraction(self, request: ExtractionRequest) -> None:
        """Raise `Unprocessable` for what cannot be extracted here."""
        check_request(request, self._extractors.rules, self._extractors.llm is not None)

    async def extract(
        self, document: Document, request: ExtractionRequest, deadline_s: float
    ) -> ExtractedFields:
        """The fields of a document, within so many seconds."""
        pages = [page for page in document.pages if page.error is None]
        return await extract(pages, request, self._extractors, deadline_s)

    async def find_kept(self, owner: str, data: bytes, options: ReadOptions) -> None:
        """Nothing is kept here."""

    async def open_kept(self, owner: str, document_id: str) -> None:
        """Nothing is kept here."""

    async def keep(self, owner: str, data: bytes, document: Document) -> None:
        """Nothing is kept here."""

    def _prepare_extraction(self) -> None:
        stage = self._profile.extraction
        if stage is None:
            raise StageNotInstalled("This profile extracts no fields: it has no `extraction`.")
        rules = RuleBook.load(Path(stage.rules_dir) if stage.rules_dir else None)
        self._extractors = Extractors.from_environment(rules, NoRecorder())

    async def _structure(
        self, data: bytes, options: StructureOptions, request_id: str
    ) -> tuple[dict[ResultFormat, bytes], Sequence[AnsweredPage]]:
        forms = self._task.forms
        reading = to_read_options(options, "json")
        reading = replace(reading, words=reading.words or any(map(needs_words, forms)))
        for form in forms:
            await check_form(form, self, data, reading)
        document = await self.read(data, reading)
        raise_only_error(document)
        contents: dict[ResultFormat, bytes] = {
            form: await write_form(form, self, data, document, reading) for form in forms if form != "json"
        }
        shown = document if options.words else without_words(document)
        result = await asyncio.to_thread(StructureResult.from_document, shown, options, request_id)
        if "json" in forms:
            contents["json"] = result.to_json()
        return contents, result.pages

    async def _extract(
        self, data: bytes, options: ExtractionOptions, request_id: str
    ) -> tuple[dict[ResultFormat, bytes], Sequence[AnsweredPage]]:
        limits = self._profile.limits
        result = await extract_fields(self, "", data, options, limits, request_id)
        return {"json": result.to_json()}, result.pages

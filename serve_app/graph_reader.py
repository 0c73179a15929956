"""Reads documents with the deployments of the graph: what the HTTP API and the Python handle both call."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from configs.settings import DetectionStage, Limits
from deployments.admission import Admission
from deployments.document import Document, Page, ReadOptions, StageInfo
from deployments.errors import Busy, NotReady, ServiceError, StageFailed
from deployments.extraction.fields import ExtractedFields
from deployments.extraction.wanted import ExtractionRequest
from deployments.flow import PageSource
from deployments.handles import Handle, RemoteStages, ask_stage, call_stage
from deployments.input_errors import StageNotInstalled
from deployments.metric_table import Recorder
from deployments.reading import DocumentReading, FlowLimits, open_reading, read_all
from deployments.searchable.text import lay_out_page
from deployments.stage_choice import fill_options, list_stages
from serve_app.api.reader import ON_DEMAND
from serve_app.kept_documents import KeptDocuments

_DESCRIBE_TIMEOUT_S = 2.0
# Who wants a document read waits longer than who asks how the service is: after a rollout, on a busy machine,
# a stage's first answer may take seconds.
_LEARN_TIMEOUT_S = 30.0
_STARTING_RETRY_AFTER_S = 5
_PROBE_TIMEOUT_S = 5.0


class GraphReader:
    """A `serve_app.api.reader.DocumentReader` over handles."""

    def __init__(
        self,
        stages: RemoteStages,
        described: dict[str, Handle],
        languages: tuple[str, ...],
        detection: DetectionStage,
        limits: Limits,
        kept: KeptDocuments,
        extraction: Handle | None,
        probed: Mapping[str, Handle],
        recorder: Recorder,
        on_demand: tuple[str, ...] = (),
    ) -> None:
        self._on_demand = on_demand
        self._probed = dict(probed)
        self._recorder = recorder
        self._kept = kept
        self._extraction = extraction
        self._stages = stages
        self._described = described
        self._languages = languages
        self._detection = detection
        seen_px = detection.limit_side_len**2 if detection.limit_type == "max" else detection.max_side_len**2
        self._limits = FlowLimits(limits.max_pages, limits.pages_in_flight, seen_px)
        self._admission = Admission(
            limits.max_queue_s,
            limits.pixels_per_s,
            note_refusal=lambda: recorder.add("ocr_admission_refusals"),
        )
        self._models: dict[str, StageInfo] = {}

    async def read(self, data: bytes, options: ReadOptions) -> Document:
        """Every page of a document; raises as `deployments.reading.open_reading`."""
        return await read_all(self.open_reading(data, options))

    @asynccontextmanager
    async def open_reading(
        self, data: bytes, options: ReadOptions, after: int = 0
    ) -> AsyncIterator[DocumentReading]:
        """A document whose pages come one by one; see `deployments.reading.open_reading`."""
        self._stages.check_stages(options)
        options = fill_options(options, self._detection)
        models = await self.choose_models(options)
        async with open_reading(
            data,
            self._stages.as_stages(),
            options,
            self._limits,
            self._admission,
            models,
            after,
            self._count_page,
        ) as reading:
            yield reading

    def _count_page(self, page: Page) -> None:
        self._recorder.add("ocr_pages", outcome="read" if page.error is None else page.error.code)
        self._recorder.add("ocr_lines", len(page.lines))

    async def choose_models(self, options: ReadOptions) -> tuple[StageInfo, ...]:
        """The models that take part. Raises `NotReady` when a stage does not answer for half a minute."""
        names = list_stages(options, self._stages.choose_recognizer(options.lang))
        if unknown := [name for name in names if name not in self._models]:
            await self._learn_models(unknown, _LEARN_TIMEOUT_S)
        return tuple(self._models[name] for name in names)

    async def keep(self, owner: str, data: bytes, document: Document) -> str | None:
        """Keep a document for further requests of its owner; its id, or None when it is not kept."""
        return await self._kept.keep(owner, data, document)

    async def find_kept(self, owner: str, data: bytes, options: ReadOptions) -> tuple[str, Document] | None:
        """What `read` has given for these bytes and options, if it was kept, with its id."""
        self._stages.check_stages(options)
        options = fill_options(options, self._detection)
        return await self._kept.find(owner, data, options, await self.choose_models(options))

    async def open_kept(self, owner: str, document_id: str) -> Document | None:
        """The owner's document, or None when it is not kept, or not any more."""
        return await self._kept.open(owner, document_id)

    def check_options(self, options: ReadOptions) -> None:
        """Raise `Unprocessable` for what cannot be read here, whatever the document is."""
        self._stages.check_stages(options)
        self._stages.choose_recognizer(options.lang)

    async def check_extraction(self, request: ExtractionRequest) -> None:
        """Raise `Unprocessable` for what cannot be extracted here, whatever the document is."""
        if self._extraction is None:
            raise StageNotInstalled("This service extracts no fields: its profile has no `extraction`.")
        await call_stage(self._extraction, "check", request)

    async def extract(
        self, document: Document, request: ExtractionRequest, deadline_s: float
    ) -> ExtractedFields:
        """The fields of a document, within so many seconds. Raises `NoText`, and as `check_extraction`."""
        if self._extraction is None:
            raise StageNotInstalled("This service extracts no fields: its profile has no `extraction`.")
        pages = [page for page in document.pages if page.error is None]
        found: ExtractedFields = await ask_stage(self._extraction, "extract", pages, request, deadline_s)
        return found

    def open_pages(self, data: bytes, options: ReadOptions) -> AbstractAsyncContextManager[PageSource]:
        """The pages of a document as pixels, one at a time."""
        return self._stages.open_document(data, options)

    async def write_pdf(self, data: bytes, document: Document) -> bytes:
        """The pages of a document as a PDF with their text, written beside the renderer of PDF pages."""
        pages = await asyncio.to_thread(lambda: tuple(map(lay_out_page, document.pages)))
        return await self._stages.write_pdf(data, pages)

    def check_room(self) -> None:
        """Raise `Busy` when no document would be admitted now."""
        self._admission.check_room()

    async def describe(self) -> tuple[StageInfo, ...]:
        """The model of every stage that always runs. Raises `NotReady` until each of them answers at once."""
        always = [name for name in self._described if name not in self._on_demand]
        await self._learn_models(always, _DESCRIBE_TIMEOUT_S)
        return tuple(self._models[name] for name in always)

    async def _learn_models(self, names: Sequence[str], timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                calls = (call_stage(self._described[name], "describe") for name in names)
                self._models |= dict(zip(names, await asyncio.gather(*calls), strict=True))
        except (TimeoutError, Busy, StageFailed) as error:
            raise NotReady("The service is starting.", _STARTING_RETRY_AFTER_S) from error

    async def probe(self) -> Mapping[str, str]:
        """Of every stage `ok` when one of its replicas answers a real inference, or has just done so.

        Those that start on demand are not asked: that would start them.
        """
        states = await asyncio.gather(*(self._find_state(name) for name in self._probed))
        return dict(zip(self._probed, states, strict=True))

    async def _find_state(self, name: str) -> str:
        return ON_DEMAND if name in self._on_demand else await _probe(self._probed[name])

    def list_on_demand(self) -> tuple[str, ...]:
        """Stages that end when nobody asks, and start with the next request that needs them."""
        return self._on_demand

    def show_metrics(self) -> None:
        """Say how long a document that comes now would wait."""
        self._recorder.set("ocr_admission_wait_seconds", self._admission.wait_s)

    async def check_paddle(self) -> dict[str, object]:
        """Paddle's own check, run by the detector's replica on the detector's device."""
        check = await call_stage(self._described["detection"], "check_paddle")
        return dataclasses.asdict(check)

    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that the running recognisers read."""
        return self._languages


def name_probed(
    renderer: Handle, described: Mapping[str, Handle], recognizers: Mapping[str, Handle]
) -> dict[str, Handle]:
    """Every stage under its name in `/health`: recognisers behind the first have their model behind it."""
    named = {
        name if name not in recognizers else f"recognition-{name}": handle
        for name, handle in described.items()
    }
    first = next(iter(recognizers))
    return {"renderer": renderer, "recognition": named.pop(f"recognition-{first}"), **named}


async def _probe(handle: Handle) -> str:
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            await call_stage(handle, "probe")
    except TimeoutError:
        return "no answer"
    except ServiceError as error:
        return error.code
    return "ok"

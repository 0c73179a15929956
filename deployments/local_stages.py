"""The stages of a graph in one process: the same models behind the same queues, without Ray between them."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

import cv2
import numpy as np

from configs.profile import OPTIONAL_STAGES, Profile
from configs.settings import ModelStage, RecognitionStage
from deployments.batching import BatchCompute, BatchQueue
from deployments.blocks import Region, TableGrid
from deployments.document import (
    Angle,
    DetectedLines,
    DetectionOptions,
    Image,
    LineCrop,
    LineText,
    ReadOptions,
    StageInfo,
)
from deployments.flow import PageSource, Stages
from deployments.models.detection import DetectionRequest
from deployments.models.loader import (
    Loaded,
    load_detection,
    load_formula,
    load_layout,
    load_orientation,
    load_recognition,
    load_seal,
    load_table,
    load_unwarping,
)
from deployments.models.recognition import RecognitionRequest, cost_of_request
from deployments.page_sources import PlainImage, RemoteFile, open_image, open_pdf
from deployments.sandbox.files import SandboxedFiles
from deployments.searchable.text import TextPage
from deployments.stage_choice import ask_recognizer, check_stages, choose_recognizer, list_optional_stages
from deployments.vision.images import open_plain_image, sniff_kind
from deployments.worker import Worker

RequestT = TypeVar("RequestT")
AnswerT = TypeVar("AnswerT")

_OPTIONAL: Mapping[str, tuple[Callable[[Any], Loaded[Any]], str]] = {
    "layout": (load_layout, "find_each"),
    "table": (load_table, "read_each"),
    "unwarping": (load_unwarping, "unwarp_each"),
    "formula": (load_formula, "read_each"),
    "seal": (load_seal, "find_each"),
}


class LocalModel(Generic[RequestT, AnswerT]):
    """A model with a thread and a queue of its own. Raises `ModelError` when it cannot be loaded."""

    def __init__(
        self,
        stage: ModelStage,
        load: Callable[[Any], Loaded[Any]],
        choose: Callable[[Any], BatchCompute[RequestT, AnswerT]],
        cost_of: Callable[[RequestT], int] = lambda _: 1,
        kind_of: Callable[[Any], Callable[[RequestT], Hashable]] = lambda _: lambda _: None,
    ) -> None:
        loaded = load(stage)
        self.model = loaded.model
        self.info: StageInfo = loaded.info
        self._queue = BatchQueue[RequestT, AnswerT](
            choose(loaded.model),
            Worker(loaded.info.stage, usage=loaded.usage, threads=stage.run.threads),
            loaded.usage,
            cost_of,
            kind_of(loaded.model),
        )
        self._queue.change_knobs(stage.knobs)

    async def ask(self, request: RequestT) -> AnswerT:
        """The model's answer, in whatever batch it is computed."""
        return await self._queue.submit(request)


class LocalStages:
    """What requests with ``options`` need of a profile's graph. Belongs to one event loop.

    ``recognizers`` are the profile's own and others beside it; only the one for the language is loaded.
    Raises `LanguageNotInstalled`, `StageNotInstalled`, `ModelError`.
    """

    def __init__(
        self,
        profile: Profile,
        recognizers: Sequence[RecognitionStage],
        languages: Mapping[str, Sequence[str]],
        options: ReadOptions,
    ) -> None:
        cv2.setNumThreads(1)
        installed = [name for name in OPTIONAL_STAGES if getattr(profile, name) is not None]
        check_stages(options, installed)
        self.recognizer = choose_recognizer(options.lang, [one.model for one in recognizers], languages)
        stage = next(one for one in recognizers if one.model == self.recognizer)
        self._orientation = LocalModel[tuple[Image, ...], Angle](
            profile.orientation, load_orientation, lambda model: model.classify_each
        )
        self._detection = LocalModel[DetectionRequest, DetectedLines](
            profile.detection,
            load_detection,
            lambda model: model.detect_each,
            kind_of=lambda model: model.choose_size,
        )
        self._detection.model.set_max_pages_per_run(profile.detection.knobs.max_items_per_run)
        self._recognition = LocalModel[RecognitionRequest, list[LineText]](
            stage, load_recognition, lambda model: model.read_each, cost_of_request
        )
        self._recognition.model.set_max_crops_per_run(stage.knobs.max_items_per_run)
        self._optional = {name: _load_optional(name, profile) for name in list_optional_stages(options)}
        self._files = SandboxedFiles(profile.renderer)
        self._max_pixels = profile.limits.max_pixels

    def describe(self) -> dict[str, StageInfo]:
        """The models by stage, the recogniser by its name."""
        return {
            "orientation": self._orientation.info,
            "detection": self._detection.info,
            self.recognizer: self._recognition.info,
            **{name: model.info for name, model in self._optional.items()},
        }

    def as_stages(self) -> Stages:
        """The callables for `deployments.flow`."""
        return Stages(
            open_document=self.open_document,
            orient=self.orient,
            detect=self.detect,
            recognize=self.recognize,
            find_regions=self.find_regions,
            read_grid=self.read_grid,
            unwarp=self.unwarp,
            read_formula=self.read_formula,
            find_seal_lines=self.find_seal_lines,
        )

    def close(self) -> None:
        """End the processes in which files are opened."""
        self._files.sandbox.close()

    @asynccontextmanager
    async def open_document(self, data: bytes, options: ReadOptions) -> AsyncIterator[PageSource]:
        """The pages of a file. Raises `InputError`."""
        is_image = sniff_kind(data) == "image"
        if is_image and (image := await asyncio.to_thread(open_plain_image, data, self._max_pixels)):
            yield PlainImage(image)
            return
        file = RemoteFile(self._files.call, uuid.uuid4().hex, np.frombuffer(data, np.uint8))
        yield await (open_image(file, self._max_pixels) if is_image else open_pdf(file, options))

    async def write_pdf(self, data: bytes, pages: tuple[TextPage, ...]) -> bytes:
        """Pages of a file as a PDF with text. Raises `InputError`."""
        file = np.frombuffer(data, np.uint8)
        return await self._files.write_pdf(uuid.uuid4().hex, file, pages, self._max_pixels)

    async def orient(self, views: Sequence[Image]) -> Angle:
        """Degrees clockwise that turn a page upright, from views of it."""
        return await self._orientation.ask(tuple(views))

    async def detect(self, pixels: Image, options: DetectionOptions) -> DetectedLines:
        """Where the lines of a page are."""
        return await self._detection.ask(DetectionRequest(pixels, options))

    async def recognize(self, crops: Sequence[LineCrop], options: ReadOptions) -> list[LineText]:
        """The texts of a page's crops."""
        return await self._recognition.ask(ask_recognizer(crops, options))

    async def find_regions(self, pixels: Image) -> tuple[Region, ...]:
        """The regions of an upright page."""
        regions: tuple[Region, ...] = await self._optional["layout"].ask(pixels)
        return regions

    async def read_grid(self, pixels: Image) -> TableGrid:
        """The cells of a table that was cut out of its page."""
        grid: TableGrid = await self._optional["table"].ask(pixels)
        return grid

    async def unwarp(self, pixels: Image) -> Image:
        """A page made flat."""
        flat: Image = await self._optional["unwarping"].ask(pixels)
        return flat

    async def read_formula(self, pixels: Image) -> str:
        """A formula that was cut out of its page, as LaTeX."""
        latex: str = await self._optional["formula"].ask(pixels)
        return latex

    async def find_seal_lines(self, pixels: Image) -> tuple[LineCrop, ...]:
        """The lines of a seal that was cut out of its page."""
        lines: tuple[LineCrop, ...] = await self._optional["seal"].ask(pixels)
        return lines


def _load_optional(name: str, profile: Profile) -> LocalModel[Image, Any]:
    load, method = _OPTIONAL[name]
    return LocalModel[Image, Any](getattr(profile, name), load, lambda model: getattr(model, method))

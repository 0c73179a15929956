"""Handles of the graph's deployments, dressed as the plain callables that `deployments.flow` wants.

Here the faults of a distributed system become the errors of the service: a replica that dies is tried again
elsewhere (reading is idempotent), a full queue is `Busy`, and whatever else fails stays in the log.
"""

import asyncio
import logging
import math
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayActorError, RayError, TaskCancelledError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from deployments.blocks import Region, TableGrid
from deployments.call_context import current_call
from deployments.document import (
    Angle,
    DetectedLines,
    DetectionOptions,
    Image,
    Lane,
    LineCrop,
    LineText,
    ReadOptions,
)
from deployments.errors import Busy, ServiceError, StageFailed, StageUnavailable
from deployments.flow import PageSource, Stages
from deployments.gathering import gather_in_order
from deployments.input_errors import InputError, MalformedImage, MalformedPdf
from deployments.models.recognition import cost_of_request
from deployments.page_sources import PlainImage, RemoteFile, open_image, open_pdf
from deployments.searchable.text import TextPage
from deployments.spreading import share_lines
from deployments.stage_choice import ask_recognizer, check_stages, choose_recognizer
from deployments.vision.images import open_plain_image, sniff_kind

logger = logging.getLogger(__name__)

Handle = DeploymentHandle[Any]

_ATTEMPTS = 4
_RETRY_AFTER_S = 5
# Turned upright, the largest page that is allowed takes 300 MB of the ingress.
_LARGE_PAGE_BYTES = 3 * 16_000_000
_LARGE_PAGES_AT_A_TIME = 2
# Lines of ordinary width that a recogniser reads at a stretch for a job: about 0.1 s on one core.
_BACKGROUND_LINES = 8


async def call_stage(handle: Handle, method: str, *arguments: object, **named: object) -> Any:
    """The method's result on some replica. Raises `ServiceError` only, `asyncio.CancelledError` aside."""
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(RayActorError),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.2, max=2.0),
        reraise=True,
    )
    with unwrap_stage_errors(handle.deployment_name, method):
        return await retrying(_call_once, handle, method, arguments, named)


async def ask_stage(handle: Handle, method: str, *arguments: object) -> Any:
    """As `call_stage`; the replica is told which request it works for."""
    return await call_stage(handle, method, *arguments, call=current_call())


async def _call_once(
    handle: Handle, method: str, arguments: Sequence[object], named: Mapping[str, object]
) -> Any:
    response = getattr(handle, method).remote(*arguments, **named)
    try:
        return await response
    except asyncio.CancelledError:
        response.cancel()
        raise


@contextmanager
def unwrap_stage_errors(deployment: str, method: str) -> Iterator[None]:
    """Turn what Ray raises inside the block into the service's own errors; causes go to the log."""
    try:
        yield
    except ServiceError as error:
        # Ray raises a twin of the stage's own exception, whose text is a remote traceback.
        raise getattr(error, "cause", error) from None
    except BackPressureError as error:
        raise Busy("The service has no room for more requests now.", _RETRY_AFTER_S) from error
    except (RayActorError, DeploymentUnavailableError, TaskCancelledError) as error:
        raise StageUnavailable("A part of the service is being replaced.", _RETRY_AFTER_S) from error
    except (RayError, TimeoutError) as error:
        logger.exception("%s.%s failed", deployment, method)
        raise StageFailed() from error


class RemoteStages:
    """The graph's deployments as stages.

    ``recognizers`` maps a model's name to its deployment, and ``languages`` to what it reads; a page's lines
    are shared out to at most ``spread`` replicas. ``optional`` are the stages that not every graph has, by
    name (`configs.profile.OPTIONAL_STAGES`). ``lane`` says whose work gives way to whose.
    """

    def __init__(
        self,
        renderer: Handle,
        orientation: Handle,
        detection: Handle,
        recognizers: Mapping[str, Handle],
        optional: Mapping[str, Handle],
        languages: Mapping[str, tuple[str, ...]],
        max_pixels: int,
        spread: int,
        lane: Lane = "interactive",
    ) -> None:
        self._renderer = renderer
        self._orientation = orientation
        self._detection = detection
        self._recognizers = dict(recognizers)
        self._optional = dict(optional)
        self._languages = dict(languages)
        self._max_pixels = max_pixels
        self._spread = spread
        self._lane = lane
        self._large_pages = asyncio.Semaphore(_LARGE_PAGES_AT_A_TIME)

    def as_stages(self) -> Stages:
        """The callables for `deployments.flow.read_document`."""
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
            make_room=self.make_room,
        )

    @asynccontextmanager
    async def open_document(self, data: bytes, options: ReadOptions) -> AsyncIterator[PageSource]:
        """The pages of a file. Raises `InputError` when it is of no readable kind."""
        self.check_stages(options)
        self.choose_recognizer(options.lang)
        is_image = sniff_kind(data) == "image"
        if is_image and (image := await asyncio.to_thread(open_plain_image, data, self._max_pixels)):
            yield PlainImage(image)
            return
        # One copy in the object store serves every page; Ray frees it with the last reference.
        reference = await asyncio.to_thread(ray.put, np.frombuffer(data, np.uint8))
        # One's own for each request: the same file from two callers is two files.
        call = partial(self._call_renderer, MalformedImage if is_image else MalformedPdf)
        file = RemoteFile(call, uuid.uuid4().hex, reference)
        yield await (open_image(file, self._max_pixels) if is_image else open_pdf(file, options))

    async def _call_renderer(self, fault: type[InputError], method: str, *arguments: object) -> Any:
        """A method's result. A file that costs its renderer the life again and again is at fault."""
        try:
            return await ask_stage(self._renderer, method, *arguments)
        except StageUnavailable as error:
            raise fault("The document cannot be decoded.") from error

    def make_room(self, pixels: Image) -> AbstractAsyncContextManager[object]:
        """What a page waits for before it is worked on: nothing, unless it is a large one."""
        return self._large_pages if pixels.size > _LARGE_PAGE_BYTES else nullcontext()

    async def orient(self, views: Sequence[Image]) -> Angle:
        """Degrees clockwise that turn a page upright, from views of it."""
        angle: Angle = await ask_stage(self._orientation, "classify", tuple(views), self._lane)
        return angle

    async def detect(self, pixels: Image, options: DetectionOptions) -> DetectedLines:
        """Where the lines of a page are."""
        lines: DetectedLines = await ask_stage(self._detection, "detect", pixels, options, self._lane)
        return lines

    async def find_regions(self, pixels: Image) -> tuple[Region, ...]:
        """The regions of an upright page."""
        regions: tuple[Region, ...] = await ask_stage(
            self._optional["layout"], "find_regions", pixels, self._lane
        )
        return regions

    async def read_grid(self, pixels: Image) -> TableGrid:
        """The cells of a table that was cut out of its page."""
        grid: TableGrid = await ask_stage(self._optional["table"], "read_grid", pixels, self._lane)
        return grid

    async def unwarp(self, pixels: Image) -> Image:
        """A page made flat."""
        flat: Image = await ask_stage(self._optional["unwarping"], "unwarp", pixels, self._lane)
        return flat

    async def read_formula(self, pixels: Image) -> str:
        """A formula that was cut out of its page, as LaTeX."""
        latex: str = await ask_stage(self._optional["formula"], "read", pixels, self._lane)
        return latex

    async def find_seal_lines(self, pixels: Image) -> tuple[LineCrop, ...]:
        """The lines of a seal that was cut out of its page."""
        lines: tuple[LineCrop, ...] = await ask_stage(
            self._optional["seal"], "find_lines", pixels, self._lane
        )
        return lines

    async def recognize(self, crops: Sequence[LineCrop], options: ReadOptions) -> list[LineText]:
        """The texts of a page's crops: one call to each of the recognisers that share them."""
        recognizer = self._recognizers[self.choose_recognizer(options.lang)]
        shares = share_lines(crops, self._count_shares(crops, options))
        answers = await gather_in_order(
            [
                ask_stage(
                    recognizer, "read", ask_recognizer([crops[index] for index in share], options), self._lane
                )
                for share in shares
            ]
        )
        texts = {
            index: text
            for share, answer in zip(shares, answers, strict=True)
            for index, text in zip(share, answer, strict=True)
        }
        return [texts[index] for index in range(len(crops))]

    def _count_shares(self, crops: Sequence[LineCrop], options: ReadOptions) -> int:
        """One for each recogniser; of background work as many as make it easy to get in between."""
        if self._lane == "interactive":
            return self._spread
        return max(
            self._spread, math.ceil(cost_of_request(ask_recognizer(crops, options)) / _BACKGROUND_LINES)
        )

    async def write_pdf(self, data: bytes, pages: tuple[TextPage, ...]) -> bytes:
        """Pages of a file as a PDF with text. Who kills its writer again and again is a malformed one."""
        reference = await asyncio.to_thread(ray.put, np.frombuffer(data, np.uint8))
        pdf: bytes = await self._call_renderer(MalformedPdf, "write_pdf", reference, pages, self._max_pixels)
        return pdf

    def check_stages(self, options: ReadOptions) -> None:
        """Raise `StageNotInstalled` when a stage is asked for that the graph does not have."""
        check_stages(options, self._optional)

    def choose_recognizer(self, lang: str | None) -> str:
        """Name of the recogniser for a language; see `deployments.stage_choice.choose_recognizer`."""
        return choose_recognizer(lang, list(self._recognizers), self._languages)

"""A document and its stages as plain functions, for tests of the way that it takes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np

from deployments.admission import Admission
from deployments.blocks import GridCell, Region, TableGrid
from deployments.document import (
    DetectedLines,
    DetectionOptions,
    Document,
    Image,
    LineCrop,
    LineText,
    PageImage,
    ReadOptions,
    TextLayer,
    WordSpan,
)
from deployments.flow import Stages
from deployments.input_errors import MalformedPdf
from deployments.reading import FlowLimits, open_reading, read_all

LIMITS = FlowLimits(max_pages=10, pages_in_flight=2, max_seen_px=1000)
PAGE = np.full((200, 100, 3), 255, np.uint8)


class Book:
    """A source whose pages are numbered by their first pixel; some may be broken."""

    def __init__(
        self,
        page_count: int,
        broken: Sequence[int] = (),
        error: type[Exception] = MalformedPdf,
        layer: TextLayer | None = None,
    ) -> None:
        self.page_count = page_count
        self.first_page_px = PAGE.shape[0] * PAGE.shape[1]
        self._broken = broken
        self._error = error
        self._layer = layer
        self.in_flight = 0
        self.most_in_flight = 0

    async def load_page(self, number: int) -> PageImage:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(0)
        self.in_flight -= 1
        if number in self._broken:
            raise self._error(f"page {number}")
        pixels = PAGE.copy()
        pixels[0, 0] = number
        return PageImage(number, pixels, layer=self._layer)


def make_stages(book: Book, angle: int = 0, flipped: bool = False) -> Stages:
    """Stages that see two lines, the lower one first, and read where they stand."""

    @asynccontextmanager
    async def open_document(data: bytes, options: ReadOptions) -> AsyncIterator[Book]:
        yield book

    async def orient(views: Sequence[Image]) -> int:
        return angle

    async def detect(pixels: Image, options: DetectionOptions) -> DetectedLines:
        low = [[10, 60], [90, 60], [90, 80], [10, 80]]
        high = [[10, 10], [90, 10], [90, 30], [10, 30]]
        return DetectedLines(np.array([low, high], np.float32), np.ones(2, np.float32))

    async def recognize(crops: Sequence[LineCrop], options: ReadOptions) -> list[LineText]:
        words = (WordSpan("y", 1.0, 0.0, 0.5),) if options.words else None
        return [LineText(f"y={int(crop.quad[:, 1].min())}", 0.9, flipped, words) for crop in crops]

    async def find_regions(pixels: Image) -> tuple[Region, ...]:
        return (Region("table", 0.9, (5, 55, 95, 85)), Region("heading", 0.8, (5, 5, 95, 35)))

    async def read_grid(pixels: Image) -> TableGrid:
        height, width = pixels.shape[:2]
        quad = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        return TableGrid((GridCell(0, 0, 1, 1, False, quad),), 1, 1, 0.9)

    async def unwarp(pixels: Image) -> Image:
        return np.full((400, 300, 3), 255, np.uint8)

    async def read_formula(pixels: Image) -> str:
        return "a + b"

    async def find_seal_lines(pixels: Image) -> tuple[LineCrop, ...]:
        return ()

    return Stages(
        open_document,
        orient,
        detect,
        recognize,
        find_regions,
        read_grid,
        unwarp,
        read_formula,
        find_seal_lines,
    )  # type: ignore[arg-type]


async def read(
    stages: Stages, options: ReadOptions | None = None, admission: Admission | None = None
) -> Document:
    """A document without bytes through these stages, by default with room for anything."""
    admission = admission or Admission(max_queue_s=1e9, pixels_per_s=1.0)
    return await read_all(open_reading(b"", stages, options or ReadOptions(), LIMITS, admission))

"""The way of a page, from pixels to text and structure, as one readable function over plain callables.

Nothing here knows Ray: the stages are callables, so a test passes in its own and a replica passes in handles.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from deployments.block_reading import read_formulas, read_seals
from deployments.blocks import Block, Region, Table, TableGrid
from deployments.document import (
    Angle,
    DetectedLines,
    DetectionOptions,
    Image,
    Line,
    LineCrop,
    LineText,
    Page,
    PageError,
    PageImage,
    ReadOptions,
    TextLayer,
    Word,
)
from deployments.errors import Busy, ServiceError, StageFailed
from deployments.gathering import gather_both
from deployments.stage_clock import StageClock
from deployments.structure.assembly import assemble_blocks
from deployments.structure.figures import cut_figures
from deployments.structure.regions import choose_regions, drop_grounds
from deployments.structure.table_views import fill_tables
from deployments.table_reading import TableReading, read_tables, settle_tables
from deployments.text_layer import (
    StatedLines,
    agrees,
    choose_sample,
    is_readable,
    match_lines,
    turn_layer,
)
from deployments.vision.geometry import crop_lines, cut_quad, flip_quad, turn_clockwise, view_for_orientation
from deployments.vision.reading_order import order_lines

logger = logging.getLogger(__name__)

# What the orientation network looks at: the shorter side of a page shrunk to this.
ORIENTATION_SHORT_SIDE_PX = 256


class PageSource(Protocol):
    """An opened document, whose pages come one by one; ``first_page_px`` are the pixels of the first."""

    page_count: int
    first_page_px: int

    async def load_page(self, number: int) -> PageImage:
        """Page ``number`` (from 1) as pixels. Raises `InputError` when it is broken."""
        ...


@dataclass(frozen=True)
class Stages:
    """What a document passes through. Each callable may run anywhere; all raise `ServiceError` only."""

    open_document: Callable[[bytes, ReadOptions], AbstractAsyncContextManager[PageSource]]
    orient: Callable[[Sequence[Image]], Awaitable[Angle]]
    detect: Callable[[Image, DetectionOptions], Awaitable[DetectedLines]]
    recognize: Callable[[Sequence[LineCrop], ReadOptions], Awaitable[list[LineText]]]
    find_regions: Callable[[Image], Awaitable[tuple[Region, ...]]]
    read_grid: Callable[[Image], Awaitable[TableGrid]]
    unwarp: Callable[[Image], Awaitable[Image]]
    read_formula: Callable[[Image], Awaitable[str]]
    find_seal_lines: Callable[[Image], Awaitable[Sequence[LineCrop]]]
    # Entered while a page is worked on, so that only so many large ones are at a time.
    make_room: Callable[[Image], AbstractAsyncContextManager[object]] = lambda _pixels: nullcontext()


async def read_page(number: int, source: PageSource, stages: Stages, options: ReadOptions) -> Page:
    """One page with its lines in reading order; an error of the page stands in the page.

    `Busy` passes through: a service without room must say so for the whole request, not lose a page.
    """
    clock = StageClock()
    try:
        with clock.measure("load"):
            image = await source.load_page(number)
        async with stages.make_room(image.pixels):
            return await _read_pixels(image, stages, options, clock)
    except Busy:
        raise
    except ServiceError as error:
        return Page(number, error=PageError(error.code, error.message), stage_ms=clock.stage_ms)
    except Exception:
        # The cause may quote the document, so it goes to the log without its message's arguments.
        logger.exception("page %d failed", number)
        failed = StageFailed()
        return Page(number, error=PageError(failed.code, failed.message), stage_ms=clock.stage_ms)


async def _read_pixels(image: PageImage, stages: Stages, options: ReadOptions, clock: StageClock) -> Page:
    pixels, layer = image.pixels, image.layer
    rotation: Angle = 0
    if options.orientation:
        with clock.measure("orientation"):
            views = await asyncio.to_thread(view_for_orientation, pixels, ORIENTATION_SHORT_SIDE_PX)
            rotation = await stages.orient(views)
            if rotation:
                pixels = await asyncio.to_thread(turn_clockwise, pixels, rotation)
    if options.unwarp:
        with clock.measure("unwarping"):
            pixels = await stages.unwarp(pixels)
        # What the file states of places holds for the page as it was.
        layer = None
    if layer is not None:
        layer = turn_layer(layer, rotation, *_size(image.pixels)) if is_readable(layer) else None
    # A line over two cells of a table is divided between its words.
    wants_words = options.words
    options = replace(options, words=wants_words or (options.structure and options.tables))
    reading = _read_lines(pixels, layer, stages, options, clock)
    if not options.structure:
        return Page(image.number, *_size(pixels), rotation, await reading, stage_ms=clock.stage_ms)
    # Text and layout are looked for at the same time: neither needs the other.
    lines, found = await gather_both(reading, _find_structure(pixels, stages, options, clock))
    found, lines = await settle_tables(
        found,
        lines,
        pixels,
        partial(_read_grid, stages),
        lambda table: _read_lines(table, None, stages, options, clock),
    )
    with clock.measure("assembly"):
        blocks, tables = await asyncio.to_thread(_assemble, found, lines, pixels)
        if not wants_words:
            lines = tuple(replace(line, words=None) for line in lines)
    if options.formulas:
        with clock.measure("formula"):
            blocks = await read_formulas(blocks, pixels, stages.read_formula)
    if options.seals:
        with clock.measure("seal"):
            blocks = await read_seals(
                blocks, pixels, stages.find_seal_lines, lambda crops: stages.recognize(crops, options)
            )
    if options.figures:
        with clock.measure("assembly"):
            blocks = await asyncio.to_thread(cut_figures, blocks, pixels)
    return Page(image.number, *_size(pixels), rotation, lines, None, clock.stage_ms, blocks, tables)


async def _read_lines(
    pixels: Image, layer: TextLayer | None, stages: Stages, options: ReadOptions, clock: StageClock
) -> tuple[Line, ...]:
    """The lines of an upright page in reading order."""
    with clock.measure("detection"):
        quads = (await stages.detect(pixels, _detection_options(options))).quads
    lines = StatedLines(quads, (None,) * len(quads))
    if layer is not None:
        with clock.measure("text_layer"):
            lines = await asyncio.to_thread(match_lines, layer, quads, pixels)
    with clock.measure("crop"):
        order = order_lines(lines.quads)
        crops = await asyncio.to_thread(crop_lines, pixels, lines.quads[order])
    with clock.measure("recognition"):
        texts = await _read_texts(crops, lines.reorder(order), stages, options)
    return tuple(
        build_line(crop, text, options.words)
        for crop, text in zip(crops, texts, strict=True)
        if text is not None and text.text and text.confidence >= options.rec_score_thresh
    )


async def _read_texts(
    crops: Sequence[LineCrop], lines: StatedLines, stages: Stages, options: ReadOptions
) -> list[LineText | None]:
    """The texts of a page's lines: stated ones where the layer can be believed, the others read.

    None for a line of which only a layer knows that cannot be believed.
    """
    stated = lines.texts
    sample = choose_sample(stated) if options.text_layer == "auto" else []
    unstated = [index for index, text in enumerate(stated) if text is None]
    read = await _recognize(crops, sorted({*unstated, *sample}), stages, options)
    if agrees([text for index in sample if (text := stated[index])], [read[index] for index in sample]):
        return [text or read[index] for index, text in enumerate(stated)]
    read |= await _recognize(crops, [i for i in lines.detected_places() if i not in read], stages, options)
    return [read.get(index) for index in range(len(crops))]


async def _recognize(
    crops: Sequence[LineCrop], wanted: Sequence[int], stages: Stages, options: ReadOptions
) -> dict[int, LineText]:
    if not wanted:
        return {}
    texts = await stages.recognize([crops[index] for index in wanted], options)
    return dict(zip(wanted, texts, strict=True))


async def _find_structure(
    pixels: Image, stages: Stages, options: ReadOptions, clock: StageClock
) -> TableReading:
    """The regions of an upright page, and the grids of those that are tables."""
    with clock.measure("layout"):
        regions = choose_regions(await stages.find_regions(pixels))
    if not options.tables:
        return TableReading(tuple(regions))
    with clock.measure("table"):
        return await read_tables(regions, pixels, partial(_read_grid, stages))


async def _read_grid(stages: Stages, table: Image) -> TableGrid:
    return await stages.read_grid(table)


def _assemble(
    found: TableReading, lines: Sequence[Line], pixels: Image
) -> tuple[tuple[Block, ...], tuple[Table, ...]]:
    width, height = _size(pixels)
    regions = drop_grounds(found.regions, lines, width * height)
    tables = fill_tables(regions, found.views, found.grids, lines)
    return assemble_blocks(regions, lines, tables, height), tuple(table for _, table in tables)


def _size(pixels: Image) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    return width, height


def build_line(crop: LineCrop, text: LineText, with_words: bool = True) -> Line:
    """A line of the page from its crop and its text."""
    quad = flip_quad(crop.quad) if text.flipped else crop.quad
    words = None
    if with_words and text.words is not None:
        words = tuple(
            Word(word.text, word.confidence, cut_quad(quad, word.start, word.end)) for word in text.words
        )
    return Line(text.text, text.confidence, quad, words, text.from_layer, text.middles)


def _detection_options(options: ReadOptions) -> DetectionOptions:
    return DetectionOptions(
        thresh=options.det_thresh,
        box_thresh=options.det_box_thresh,
        unclip_ratio=options.det_unclip_ratio,
        limit_side_len=options.det_limit_side_len,
        limit_type=options.det_limit_type,
    )

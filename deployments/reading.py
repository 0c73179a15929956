"""The way of a document: its pages read side by side, and handed on in order as soon as they are done.

One answer with all pages and a stream of them are the same reading; they differ in who waits for what.
Nothing here knows Ray (see `deployments.flow`).
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from itertools import islice

from deployments.admission import Admission, Lease
from deployments.document import Document, Page, ReadOptions, StageInfo
from deployments.flow import PageSource, Stages, read_page
from deployments.input_errors import PageOutOfRange, TooManyPages
from deployments.stage_clock import StageClock
from deployments.structure.marks import mark_document
from deployments.tracing import trace_span

# Pages that may be done before their turn, in pages on their way at a time: a slow one does not stop the
# others at once, and a caller who takes none does not have the whole document read into memory.
_AHEAD = 4


@dataclass(frozen=True)
class FlowLimits:
    """How many pages one document may have read, and how many of them are on their way at a time.

    ``max_seen_px`` bounds what a page counts for at the admission: a larger one is shrunk before it is read.
    """

    max_pages: int
    pages_in_flight: int
    max_seen_px: int


class DocumentReading:
    """A document that was let in, and whose pages are read when they are asked for.

    ``numbers`` are those of the pages to read, rising from 1; ``pages_total`` counts all pages of the file.
    """

    def __init__(
        self,
        source: PageSource,
        numbers: Sequence[int],
        stages: Stages,
        options: ReadOptions,
        models: tuple[StageInfo, ...],
        pages_in_flight: int,
        clock: StageClock,
        lease: Lease,
        note_page: Callable[[Page], None],
    ) -> None:
        self._note_page = note_page
        self.pages_total = source.page_count
        self.numbers = numbers
        self.options = options
        self.models = models
        self._source = source
        self._stages = stages
        self._pages_in_flight = pages_in_flight
        self._clock = clock
        self._lease = lease

    async def read_pages(self) -> AsyncGenerator[Page, None]:
        """Each page, in order, once it and all before it are done; close the generator to stop.

        A page that cannot be read has its error in its place. Raises `Busy`, which concerns the document.
        """
        gate = asyncio.Semaphore(self._pages_in_flight)
        numbers = iter(self.numbers)
        ahead: deque[asyncio.Task[Page]] = deque()
        try:
            while True:
                for number in islice(numbers, _AHEAD * self._pages_in_flight - len(ahead)):
                    ahead.append(asyncio.create_task(self._read_in_turn(number, gate)))
                if not ahead:
                    return
                page = await ahead[0]
                ahead.popleft()
                yield page
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)

    def measure(self, pages: Iterable[Page]) -> dict[str, float]:
        """Milliseconds of each stage, summed over these pages, and of the whole until now."""
        return self._clock.with_pages(tuple(pages))

    def finish(self, pages: Sequence[Page]) -> Document:
        """The document, once all of its pages are there."""
        marked = mark_document(pages)
        return Document(marked, self.pages_total, self.models, self.measure(pages), self.options)

    async def _read_in_turn(self, number: int, gate: asyncio.Semaphore) -> Page:
        async with gate:
            with trace_span("page", number=number):
                page = await read_page(number, self._source, self._stages, self.options)
        self._lease.finish_page()
        self._note_page(page)
        return page


@asynccontextmanager
async def open_reading(
    data: bytes,
    stages: Stages,
    options: ReadOptions,
    limits: FlowLimits,
    admission: Admission,
    models: tuple[StageInfo, ...] = (),
    after: int = 0,
    note_page: Callable[[Page], None] = lambda _: None,
) -> AsyncIterator[DocumentReading]:
    """Open a document and take room for it; pages up to number ``after`` are left out.

    ``note_page`` is told of each page as soon as it is done, whoever takes it.
    Raises `InputError` when the document as a whole cannot be read, `Busy` when there is no room for it.
    """
    clock = StageClock()
    async with stages.open_document(data, options) as source:
        clock.add("open", clock.total_ms())
        chosen = choose_pages(source.page_count, options.pages, limits.max_pages)
        numbers = [number for number in chosen if number > after]
        page_px = min(source.first_page_px, limits.max_seen_px)
        with admission.admit(page_px, len(numbers), limits.pages_in_flight) as lease:
            yield DocumentReading(
                source, numbers, stages, options, models, limits.pages_in_flight, clock, lease, note_page
            )


async def read_all(opening: AbstractAsyncContextManager[DocumentReading]) -> Document:
    """Every page that is to be read, in order, each with its text or its error; raises as `open_reading`."""
    async with opening as reading, aclosing(reading.read_pages()) as stream:
        return reading.finish([page async for page in stream])


def choose_pages(page_count: int, asked: tuple[int, ...] | None, max_pages: int) -> Sequence[int]:
    """The pages that are asked for of a document. Raises `TooManyPages`, `PageOutOfRange`."""
    # Counts are compared before anything of their size is made: a PDF may claim any number of pages.
    wanted = page_count if asked is None else len(asked)
    if wanted > max_pages:
        raise TooManyPages(
            f"{wanted} pages were asked for, {max_pages} are read in one request; choose with `pages`."
        )
    if asked is None:
        return range(1, page_count + 1)
    missing = [number for number in asked if number > page_count]
    if missing:
        raise PageOutOfRange(f"The document has {page_count} page(s); page {missing[0]} was asked for.")
    return asked

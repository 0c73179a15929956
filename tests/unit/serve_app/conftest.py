"""A reader without networks, and the API over it as its callers see it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from configs.rulebook import RuleBook
from configs.settings import Limits
from deployments.document import Document, Line, Page, PageError, PageImage, ReadOptions, StageInfo, Word
from deployments.errors import Busy
from deployments.extraction.fields import ExtractedFields
from deployments.extraction.wanted import ExtractionRequest
from deployments.extraction_flow import Extractors, check_request, extract
from deployments.metric_table import NoRecorder
from serve_app.api.app import create_app
from serve_app.auth import AuthSettings

API_KEY = "a-key-for-tests"
RULES = RuleBook.load()
ORIGIN = "https://app.example.com"
MAX_BYTES = 200_000
QUAD = np.array([[1.005, 2], [30.123, 2], [30.123, 9.999], [1.005, 9.999]], np.float32)
STAGE = StageInfo("detection", "PP-OCRv5_mobile_det", "5", "ab" * 32, "fake", "1", "CPU", "f32")


class FakeReading:
    """A document whose pages are there at once; after the last of them it may hang or fail."""

    def __init__(self, document: Document, after: int, reader: "FakeReader") -> None:
        self._pages = [page for page in document.pages if page.number > after]
        self._reader = reader
        self.pages_total = document.pages_total
        self.numbers = [page.number for page in self._pages]
        self.models = document.models
        self.options = document.options

    async def read_pages(self) -> AsyncGenerator[Page, None]:
        """Give one page after the other, and count them."""
        for page in self._pages:
            self._reader.pages_given += 1
            yield page
        if self._reader.hangs_at_end:
            await self._reader.hang()
        if self._reader.error_at_end is not None:
            raise self._reader.error_at_end

    def measure(self, pages: Iterable[Page]) -> dict[str, float]:
        """Give a time for each page."""
        return {"total": float(len(list(pages)))}


@dataclass(frozen=True)
class FakePages:
    """Pages that all have the same pixels."""

    page_count: int
    pixels: np.ndarray

    @property
    def first_page_px(self) -> int:
        """Pixels of the first page."""
        return int(self.pixels.size // 3)

    async def load_page(self, number: int) -> PageImage:
        """The pixels."""
        return PageImage(number, self.pixels)


class FakeReader:
    """Reads every document as one page with one line; a test sets what shall be different."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.describe_error: Exception | None = None
        self.pages: tuple[Page, ...] | None = None
        self.pages_total = 1
        self.hangs = False
        self.hangs_at_end = False
        self.error_at_end: Exception | None = None
        self.pages_given = 0
        self.is_reading = asyncio.Event()
        self.calls: list[tuple[bytes, ReadOptions]] = []
        self.describe_calls = 0
        self.probe_calls = 0
        self.stage_states = {"detection": "ok", "recognition": "ok"}
        self.cancelled = False
        self.full_for_s = 0
        self.stages: tuple[StageInfo, ...] = (STAGE,)
        self.pixels = np.full((40, 20, 3), 255, np.uint8)
        self.written: list[tuple[bytes, Document]] = []
        self.keeps = False
        self.kept: dict[str, tuple[str, bytes, Document]] = {}
        self.extractions: list[tuple[ExtractionRequest, float]] = []

    async def read(self, data: bytes, options: ReadOptions) -> Document:
        """Note the call; then hang, fail, or answer."""
        self.calls.append((data, options))
        self.is_reading.set()
        if self.hangs:
            await self.hang()
        if self.error is not None:
            raise self.error
        words = (Word("Hello", 0.98765, QUAD),) if options.words else None
        page = Page(1, 40, 20, 90, (Line("Hello", 0.98765, QUAD, words),), stage_ms={"detection": 1.5})
        pages = (page,) if self.pages is None else self.pages
        return Document(pages, self.pages_total, self.stages, {"detection": 1.5, "total": 2.0})

    @asynccontextmanager
    async def open_reading(
        self, data: bytes, options: ReadOptions, after: int = 0
    ) -> AsyncIterator[FakeReading]:
        """Read at once what is then given page by page."""
        yield FakeReading(await self.read(data, options), after, self)

    async def hang(self) -> None:
        """Never end; note a cancellation."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    async def keep(self, owner: str, data: bytes, document: Document) -> str | None:
        """Keep documents when a test says so; ids are counted."""
        if not self.keeps:
            return None
        document_id = f"doc_{len(self.kept):032x}"
        self.kept[document_id] = (owner, data, document)
        return document_id

    async def find_kept(self, owner: str, data: bytes, options: ReadOptions) -> tuple[str, Document] | None:
        """Find a document by its owner and its bytes."""
        for document_id, (kept_owner, kept_data, document) in self.kept.items():
            if (kept_owner, kept_data) == (owner, data):
                return document_id, document
        return None

    async def open_kept(self, owner: str, document_id: str) -> Document | None:
        """Give a document to its owner."""
        kept = self.kept.get(document_id)
        return kept[2] if kept is not None and kept[0] == owner else None

    async def check_extraction(self, request: ExtractionRequest) -> None:
        """Check a request as the real one does, without any language model."""
        check_request(request, RULES, has_llm=False)

    async def extract(
        self, document: Document, request: ExtractionRequest, deadline_s: float
    ) -> ExtractedFields:
        """Extract by the rules, which need no model."""
        self.extractions.append((request, deadline_s))
        pages = [page for page in document.pages if page.error is None]
        return await extract(pages, request, Extractors(RULES, None, NoRecorder()), deadline_s)

    @asynccontextmanager
    async def open_pages(self, data: bytes, options: ReadOptions) -> AsyncIterator["FakePages"]:
        """As many pages as the document has, all of them alike."""
        yield FakePages(self.pages_total, self.pixels)

    async def write_pdf(self, data: bytes, document: Document) -> bytes:
        """Note the call, and answer with a file that is none."""
        self.written.append((data, document))
        return b"%PDF-"

    def check_room(self) -> None:
        """Refuse when a test says that there is no room."""
        if self.full_for_s:
            raise Busy("No room.", self.full_for_s)

    async def describe(self) -> tuple[StageInfo, ...]:
        """Count the call; then fail or answer."""
        self.describe_calls += 1
        if self.describe_error is not None:
            raise self.describe_error
        return self.stages

    async def probe(self) -> dict[str, str]:
        """Count the call; every stage is as a test says."""
        self.probe_calls += 1
        return self.stage_states

    def list_on_demand(self) -> tuple[str, ...]:
        """List one stage."""
        return ("layout",)

    async def check_paddle(self) -> dict[str, object]:
        """Answer as a machine without Paddle does."""
        return {"ok": False, "installed": False, "version": None, "reason": "Paddle is not installed."}

    def languages(self) -> tuple[str, ...]:
        """List two languages."""
        return ("ch", "en")

    def give_pages(self, count: int) -> None:
        """Let the document have so many empty pages."""
        self.pages = tuple(Page(number, 40, 20) for number in range(1, count + 1))
        self.pages_total = count

    def fail_pages(self, *numbers: int) -> None:
        """Let exactly these pages fail, as pages of a document of so many."""
        self.pages = tuple(
            Page(n, error=PageError("malformed_pdf", f"Page {n} cannot be drawn.")) for n in numbers
        )
        self.pages_total = len(numbers)


@pytest.fixture
def reader() -> FakeReader:
    return FakeReader()


@pytest.fixture(scope="session")
def make_reader() -> type[FakeReader]:
    """For tests that need a reader of their own."""
    return FakeReader


@pytest.fixture
def limits() -> Limits:
    return Limits(max_bytes=MAX_BYTES)


@pytest.fixture
def app(reader: FakeReader, limits: Limits) -> FastAPI:
    return create_app(reader, limits, AuthSettings(API_KEY, (ORIGIN,)), "1.2.3")


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Call without a key; an error that escapes the application fails the test."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        yield client


@pytest.fixture
async def client(stranger: httpx.AsyncClient) -> httpx.AsyncClient:
    """Call with the key."""
    stranger.headers["x-api-key"] = API_KEY
    return stranger

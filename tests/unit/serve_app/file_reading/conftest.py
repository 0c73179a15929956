"""A service over real HTTP whose documents are their own description: `letter pages=3`."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import uvicorn

from configs.settings import Limits
from deployments.document import Document, Line, Page, PageError, ReadOptions, StageInfo
from deployments.errors import Busy
from deployments.input_errors import MalformedImage, TooManyPages
from serve_app.api.app import create_app
from serve_app.auth import AuthSettings
from serve_app.file_reading.progress import make_progress
from serve_app.file_reading.run import FilesRun
from serve_app.file_reading.server import ServerOptions
from serve_app.file_reading.sources import find_sources
from serve_app.file_reading.store import ResultStore
from serve_app.reading_task import make_task

from service import find_free_port

KEY = "a-key-for-tests"
QUAD = np.array([[1, 2], [30, 2], [30, 10], [1, 10]], np.float32)
STAGE = StageInfo("detection", "small_det", "5", "ab" * 32, "fake", "1", "CPU", "f32")


@dataclass
class Library:
    """Reads `NAME pages=N bad=K`: N pages, of which K is faulty; a name that begins with `broken` not at all.

    ``refusals`` are answered before anything is read, ``breaks_after`` is the page behind which the first
    stream ends; the page named by ``stuck_at`` never comes.
    """

    refusals: int = 0
    breaks_after: int | None = None
    stuck_at: int | None = None
    max_pages: int | None = None
    starts: list[tuple[str, int]] = field(default_factory=list)
    given: list[tuple[str, int]] = field(default_factory=list)
    model: StageInfo = STAGE

    def check_room(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise Busy("No room.", 1)

    async def describe(self) -> tuple[StageInfo, ...]:
        return (self.model,)

    def list_on_demand(self) -> tuple[str, ...]:
        return ()

    def languages(self) -> tuple[str, ...]:
        return ("en",)

    @asynccontextmanager
    async def open_reading(
        self, data: bytes, options: ReadOptions, after: int = 0
    ) -> AsyncIterator["LibraryReading"]:
        name = data.decode()
        if name.startswith("broken"):
            raise MalformedImage("The image cannot be decoded.")
        total = int((re.search(r"pages=(\d+)", name) or [0, "1"])[1])
        numbers = list(options.pages or range(1, total + 1))
        if self.max_pages is not None and len(numbers) > self.max_pages:
            raise TooManyPages("Too many pages were asked for.")
        self.starts.append((name, after))
        yield LibraryReading(self, name, total, [number for number in numbers if number > after])


@dataclass
class LibraryReading:
    """A document of the library."""

    library: Library
    name: str
    pages_total: int
    numbers: list[int]
    options: ReadOptions = field(default_factory=ReadOptions)

    @property
    def models(self) -> tuple[StageInfo, ...]:
        return (self.library.model,)

    async def read_pages(self) -> AsyncGenerator[Page, None]:
        for number in self.numbers:
            if number == self.library.stuck_at:
                await asyncio.Event().wait()
            if self.library.breaks_after is not None and number > self.library.breaks_after:
                self.library.breaks_after = None
                raise Busy("No room any more.", 1)
            self.library.given.append((self.name, number))
            yield self._make_page(number)

    def _make_page(self, number: int) -> Page:
        if f"bad={number}" in self.name:
            return Page(number, error=PageError("stage_failed", "A stage failed."))
        return Page(number, 40, 20, 0, (Line(f"{self.name} {number}", 0.9, QUAD),), stage_ms={"load": 1.0})

    def measure(self, pages: Iterable[Page]) -> dict[str, float]:
        return {"total": float(len(list(pages)))}

    def finish(self, pages: list[Page]) -> Document:
        return Document(tuple(pages), self.pages_total, self.models)


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
async def url(library: Library) -> AsyncIterator[str]:
    """The library's service, on a port of this machine."""
    app = create_app(library, Limits(), AuthSettings(KEY, ()), "1")  # type: ignore[arg-type]
    port = find_free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    server.force_exit = True
    await serving


@dataclass
class Workplace:
    """A folder of documents, a folder of results, and runs between them."""

    url: str
    documents: Path
    out: Path

    def add(self, name: str, content: str) -> Path:
        path = self.documents / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    async def run(
        self,
        formats: str = "json",
        *,
        key: str = KEY,
        again: bool = False,
        patience_s: float = 20,
        **fields: str,
    ) -> FilesRun:
        store = ResultStore(self.out)
        try:
            sources = find_sources([str(self.documents)], self.out)
            task = make_task(None, formats, fields)
            run = FilesRun(sources, task, store, make_progress(is_quiet=True), reads_again=again)
            await run.run(ServerOptions(self.url, key, 4, patience_s))
        finally:
            store.close()
        return run

    def results(self) -> list[str]:
        paths = (path.relative_to(self.out) for path in self.out.rglob("*") if path.is_file())
        return sorted(path.as_posix() for path in paths if path.parts[0] != ".ocr-serve")


@pytest.fixture
def workplace(url: str, tmp_path: Path) -> Workplace:
    (tmp_path / "in").mkdir()
    return Workplace(url, tmp_path / "in", tmp_path / "out")

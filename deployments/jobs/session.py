"""The steps of one file: open it, read a page, write its result. Each may be run again after a crash."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    before_sleep_log,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from deployments.document import Document, Page, PageError
from deployments.document_codec import decode_document, encode_document
from deployments.errors import Busy, InputLost, JobsUnavailable, ServiceError, StageFailed, StorageUnavailable
from deployments.jobs.progress import FileStart, JobProgress
from deployments.jobs.states import Fault, FileState
from deployments.jobs.storage import JobStorage, hash_bytes, job_prefix, page_key, result_key
from deployments.jobs.work import JobWork, OpenDocument
from deployments.metric_table import Recorder

logger = logging.getLogger(__name__)

_ResultT = TypeVar("_ResultT")
# A graph without room, or one that is being replaced, is asked again for about ten minutes.
_BUSY_ATTEMPTS = 25
_MAX_WAIT_S = 30.0


@dataclass(frozen=True)
class JobParts:
    """What all files share: the records, the storage, who reads, and how many pages at a time."""

    progress: JobProgress
    storage: JobStorage
    work: JobWork
    recorder: Recorder
    page_gate: asyncio.Semaphore
    pages_in_flight: int


@dataclass(eq=False)
class FileSession:
    """One file of a job while it is read in this process.

    What is held here is there for speed: after a crash another process begins with nothing but the records.
    """

    parts: JobParts
    job_id: str
    place: int
    _start: FileStart | None = None
    _data: bytes | None = None
    _document: OpenDocument | None = None
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _reading: set["asyncio.Task[Page]"] = field(default_factory=set)
    _is_cancelled: bool = False

    async def open(self) -> list[int] | None:
        """The pages to read; None for a file that has ended, or ends here because it cannot be read."""
        start = await self._begin()
        if start is None:
            return None
        if start.is_given_up:
            await self._give_up()
            return None
        try:
            document = await self._open()
        except ServiceError as error:
            await self._end("failed", Fault(error.code, error.message))
            return None
        numbers = list(document.numbers)
        await _persist(self.parts.progress.note_pages, self.job_id, self.place, len(numbers))
        return numbers

    async def read_page(self, number: int) -> str:
        """Read a page and keep what was read; what became of it."""
        progress, place = self.parts.progress, self.place
        async with self.parts.page_gate:
            start = "cancelled"
            if not self._is_cancelled:
                start = await _persist(progress.begin_page, self.job_id, place, number)
            if start in ("ended", "cancelled"):
                return start
            page = _fail_page(number) if start == "given_up" else await self._read(number)
            if page is None:
                return "cancelled"
        await self._keep(page)
        fault = None if page.error is None else Fault(page.error.code, page.error.message)
        await _persist(progress.end_page, self.job_id, place, number, fault)
        outcome = "read" if fault is None else fault.code
        self.parts.recorder.add("ocr_job_pages", outcome=outcome)
        return outcome

    async def close(self, numbers: list[int]) -> str:
        """Write the result from the pages that were kept, and end the file."""
        start = await self._begin()
        if start is None:
            return "ended"
        if start.is_given_up:
            return await self._give_up()
        try:
            pages = [await self._load(number) for number in numbers]
            fault = _judge(pages)
            forms: dict[str, bytes] = {}
            if not (fault is not None and len(pages) == 1):
                forms = dict(await self._assemble(start, pages))
        except ServiceError as error:
            await self._end("failed", Fault(error.code, error.message))
            return error.code
        for form, content in forms.items():
            await _retry_storage(lambda form=form, content=content: self._put_result(form, content))  # type: ignore[misc]
        failed = sum(page.error is not None for page in pages)
        state: FileState = "failed" if fault is not None else "partial" if failed else "done"
        await self._end(state, fault, {form: len(content) for form, content in forms.items()})
        await self._drop_pages()
        return state

    async def fail(self, error: Exception) -> None:
        """End the file because of what nobody foresaw."""
        logger.error("file %d of %s failed with %s", self.place, self.job_id, type(error).__name__)
        logger.debug("cause", exc_info=error)
        failed = StageFailed()
        await self._end("failed", Fault(failed.code, failed.message))

    async def release(self) -> None:
        """Let go of the document."""
        await self._stack.aclose()
        self._data = self._document = None

    def cancel(self) -> None:
        """Stop reading: pages under way are dropped at their next stage, others are not begun."""
        self._is_cancelled = True
        for task in self._reading:
            task.cancel()

    async def _give_up(self) -> str:
        failed = StageFailed("The document was given up: the service failed on it again and again.")
        await self._end("failed", Fault(failed.code, failed.message))
        return failed.code

    async def _begin(self) -> FileStart | None:
        if self._start is None:
            self._start = await _persist(self.parts.progress.begin_file, self.job_id, self.place)
        return self._start

    async def _load_input(self) -> bytes:
        start = await self._begin()
        if self._data is None:
            assert start is not None
            file = start.file.file
            data = await _retry_storage(lambda: self.parts.storage.get(file.key))
            if file.sha256 and await asyncio.to_thread(hash_bytes, data) != file.sha256:
                raise InputLost("The document in the storage is not the one that was sent.")
            self._data = data
        return self._data

    async def _open(self) -> OpenDocument:
        async with self._opening:
            if self._document is None:
                start = await self._begin()
                assert start is not None
                data = await self._load_input()
                self._document = await _retry_busy(
                    lambda: self._stack.enter_async_context(self.parts.work.open(data, start.order))
                )
        return self._document

    async def _read(self, number: int) -> Page | None:
        """A page, or None when the job was cancelled meanwhile."""
        try:
            document = await self._open()
            task = asyncio.create_task(_retry_busy(lambda: document.read_page(number)))
            self._reading.add(task)
            try:
                await asyncio.wait({task})
            finally:
                self._reading.discard(task)
                task.cancel()
            if task.cancelled():
                return None
            return task.result()
        except ServiceError as error:
            return Page(number, error=PageError(error.code, error.message))
        except Exception as error:
            logger.error("page %d of a job failed with %s", number, type(error).__name__)
            logger.debug("cause", exc_info=True)
            return _fail_page(number)

    async def _keep(self, page: Page) -> None:
        data = await asyncio.to_thread(encode_document, Document((page,), 1))
        key = page_key(self.job_id, self.place, page.number)
        await _retry_storage(lambda: self.parts.storage.put(key, data))

    async def _load(self, number: int) -> Page:
        key = page_key(self.job_id, self.place, number)
        data = await _retry_storage(lambda: self.parts.storage.get(key))
        try:
            document = await asyncio.to_thread(decode_document, data)
        except ValueError as error:
            raise InputLost("A page in the storage cannot be read back.") from error
        return document.pages[0]

    async def _assemble(self, start: FileStart, pages: list[Page]) -> dict[str, bytes]:
        document = await self._open()
        data = await self._load_input()
        return dict(
            await _retry_busy(
                lambda: self.parts.work.assemble(data, start.order, pages, document.pages_total)
            )
        )

    async def _put_result(self, form: str, content: bytes) -> None:
        await self.parts.storage.put(result_key(self.job_id, self.place, form), content)

    async def _drop_pages(self) -> None:
        try:
            await self.parts.storage.delete_all(f"{job_prefix(self.job_id)}pages/{self.place}/")
        except StorageUnavailable:
            # They go with their job.
            logger.warning("pages of %s could not be deleted yet", self.job_id)

    async def _end(
        self, state: FileState, fault: Fault | None, results: dict[str, int] | None = None
    ) -> None:
        await _persist(self.parts.progress.end_file, self.job_id, self.place, state, fault, results or {})
        self.parts.recorder.add("ocr_job_files", outcome=state if fault is None else fault.code)


def _judge(pages: list[Page]) -> Fault | None:
    """The fault of a document of which nothing could be read."""
    errors = [page.error for page in pages if page.error is not None]
    if errors and len(errors) == len(pages):
        return Fault(errors[0].code, errors[0].message)
    return None


def _fail_page(number: int) -> Page:
    failed = StageFailed()
    return Page(number, error=PageError(failed.code, failed.message))


async def _persist(change: Callable[..., _ResultT], *arguments: object) -> _ResultT:
    """Make a change of the records, for as long as it takes the database to answer."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(JobsUnavailable),
        wait=wait_random_exponential(multiplier=0.2, max=_MAX_WAIT_S),
        before_sleep=before_sleep_log(logger, logging.WARNING),
    ):
        with attempt:
            return await asyncio.to_thread(change, *arguments)
    raise AssertionError("not reached")


async def _retry_storage(action: Callable[[], Awaitable[_ResultT]]) -> _ResultT:
    """Use the storage, for as long as it takes it to answer: what was accepted is not given up."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(StorageUnavailable),
        wait=wait_random_exponential(multiplier=0.5, max=_MAX_WAIT_S),
        before_sleep=before_sleep_log(logger, logging.WARNING),
    ):
        with attempt:
            return await action()
    raise AssertionError("not reached")


async def _retry_busy(action: Callable[[], Awaitable[_ResultT]]) -> _ResultT:
    """Ask the graph, again while it has no room or is being replaced. Raises `ServiceError`."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(Busy),
        stop=stop_after_attempt(_BUSY_ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.5, max=_MAX_WAIT_S),
        reraise=True,
    ):
        with attempt:
            return await action()
    raise AssertionError("not reached")

"""Reads many files through a service: side by side, each on its own, and none twice."""

import asyncio
import hashlib
import time
from collections.abc import Iterator, Sequence

from deployments.errors import ServiceError
from serve_app.file_reading.document import DocumentReading, PagesWatcher
from serve_app.file_reading.failures import FileFailed, ServerUnusable, StoreFailed
from serve_app.file_reading.forms import FormWriter
from serve_app.file_reading.progress import ProgressShower, RunState
from serve_app.file_reading.report import FileReport, Totals
from serve_app.file_reading.server import Server, ServerOptions
from serve_app.file_reading.sources import Source
from serve_app.file_reading.store import Record, ResultStore
from serve_app.reading_task import ReadingTask


class FilesRun:
    """One run over files; ``reports`` and ``totals`` grow with it.

    ``stopped`` says why not all files were tried: the server or the folder of results cannot be used.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        task: ReadingTask,
        store: ResultStore,
        progress: ProgressShower,
        *,
        reads_again: bool,
    ) -> None:
        self.reports: list[FileReport] = []
        self.totals = Totals()
        self.stopped: str | None = None
        self._sources = sources
        self._task = task
        self._store = store
        self._progress = progress
        self._reads_again = reads_again
        self._state = RunState(len(sources))
        self._start_s = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._start_s

    async def run(self, options: ServerOptions) -> None:
        """Read all files, as many side by side as the server takes."""
        writer = FormWriter()
        waiting = iter(self._sources)
        try:
            async with Server(options) as server:
                await server.wait_until_ready()
                reading = DocumentReading(server, self._task, writer)
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(options.concurrency, len(self._sources))):
                        group.create_task(self._read_each(waiting, reading))
        except* (ServerUnusable, StoreFailed) as errors:
            self.stopped = str(errors.exceptions[0])
        finally:
            writer.close()

    async def _read_each(self, waiting: Iterator[Source], reading: DocumentReading) -> None:
        for source in waiting:
            report = await self._read_one(source, reading)
            self.reports.append(report)
            self.totals.add(report)
            if report.outcome == "failed":
                self._state.errors += 1
                self._progress.say(f"{source.name}: {report.code}: {report.message}")
            for number, code in report.failed_pages.items():
                self._progress.say(f"{source.name}: page {number}: {code}")
            self._progress.show(self._state)

    async def _read_one(self, source: Source, reading: DocumentReading) -> FileReport:
        is_known = False

        def note_total(pages: int) -> None:
            nonlocal is_known
            if not is_known:
                self._state.open_file(pages)
            is_known = True

        def note_page(is_read: bool) -> None:
            self._state.finish_page(is_read)
            self._progress.show(self._state)

        try:
            return await self._read_file(source, reading, PagesWatcher(note_total, note_page))
        except (FileFailed, ServiceError) as error:
            return FileReport(source.name, "failed", code=error.code, message=error.message)
        except OSError as error:
            return FileReport(source.name, "failed", code="unreadable_file", message=error.strerror or "")
        finally:
            self._state.finish_file(is_known)

    async def _read_file(self, source: Source, reading: DocumentReading, watcher: PagesWatcher) -> FileReport:
        data = await asyncio.to_thread(source.path.read_bytes)
        sha256 = (await asyncio.to_thread(hashlib.sha256, data)).hexdigest()
        fingerprint = self._task.fingerprint()
        names = self._task.output_names(source.name)
        outputs = tuple(names.values())
        done = None if self._reads_again else self._store.is_done(source.name, sha256, fingerprint, outputs)
        if done is not None:
            return FileReport(source.name, "kept", done.pages, outputs)
        kept = self._store.open_pages(sha256, fingerprint)
        if self._reads_again:
            kept.drop()
        contents, pages = await reading.read(data, kept, watcher)
        failed = {page["number"]: page["error"]["code"] for page in pages if page.get("error")}
        read = len(pages) - len(failed)
        # A file of which pages failed is tried again by the next run.
        record = Record(source.name, sha256 if not failed else "", fingerprint, read, outputs)
        await asyncio.to_thread(
            self._store.write, record, {names[form]: content for form, content in contents.items()}
        )
        kept.drop()
        return FileReport(source.name, "read", read, outputs, failed)

"""Reads one file through a service: its pages as they come, kept on the way, or one answer for fields."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from serve_app.file_reading.failures import FileFailed
from serve_app.file_reading.forms import FormWriter, ReadPages, fields_to_send
from serve_app.file_reading.server import Server
from serve_app.file_reading.store import PageFile
from serve_app.options import ResultFormat, format_pages, parse_pages
from serve_app.reading_task import ReadingTask

# Of a document with more pages than one request may have, so many are asked for at a time.
_PAGES_A_REQUEST = 100


class PagesWatcher:
    """Who wants to know of pages: their number first, and then each."""

    def __init__(self, note_total: Callable[[int], None], note_page: Callable[[bool], None]) -> None:
        self.note_total = note_total
        self.note_page = note_page


class DocumentReading:
    """Reads files of one task."""

    def __init__(self, server: Server, task: ReadingTask, writer: FormWriter) -> None:
        self._server = server
        self._task = task
        self._writer = writer

    async def read(
        self, data: bytes, kept: PageFile, watcher: PagesWatcher
    ) -> tuple[dict[ResultFormat, bytes], list[Mapping[str, Any]]]:
        """All forms of one file's result, and its pages, some of which may have an `error`.

        Raises `FileFailed`, `ServerUnusable`, `StoreFailed`, and `ServiceError` for a form that cannot be.
        """
        if self._task.name == "extraction":
            body = await self._server.ask("/v1/extraction", data, self._task.fields)
            pages = json.loads(body)["pages"]
            watcher.note_total(len(pages))
            for page in pages:
                watcher.note_page(page["error"] is None)
            return {"json": body}, pages
        read = await self._read_pages(data, kept, watcher)
        only = read.pages[0] if read.start["pages_total"] == 1 and read.pages else {}
        if "error" in only:
            raise FileFailed(only["error"]["code"], only["error"]["message"])
        contents = await self._writer.write_all(self._task, data, read)
        return contents, list(read.pages)

    async def _read_pages(self, data: bytes, kept: PageFile, watcher: PagesWatcher) -> ReadPages:
        fields = fields_to_send(self._task)
        asked = fields.get("pages")
        gathered = _Gathered(kept, watcher, None if asked is None else len(parse_pages(str(asked))))
        try:
            await self._gather(data, fields, gathered)
        except FileFailed as error:
            if error.code != "too_many_pages":
                raise
            await self._gather_in_parts(data, fields, gathered)
        return gathered.finish(fields)

    async def _gather(
        self, data: bytes, fields: Mapping[str, str | Sequence[str]], gathered: "_Gathered"
    ) -> None:
        path = f"/v1/{self._task.name}"
        async for event in self._server.stream(path, data, fields, gathered.last):
            if not gathered.take(event):
                # Other models read now than those that have read the pages that are kept.
                gathered.forget()
                return await self._gather(data, fields, gathered)
        return None

    async def _gather_in_parts(
        self, data: bytes, fields: Mapping[str, str | Sequence[str]], gathered: "_Gathered"
    ) -> None:
        asked = fields.get("pages")
        if asked is None:
            await self._gather(data, {**fields, "pages": "1"}, gathered)
            numbers: Sequence[int] = range(1, gathered.pages_total + 1)
        else:
            numbers = parse_pages(str(asked))
        for start in range(0, len(numbers), _PAGES_A_REQUEST):
            part = [number for number in numbers[start : start + _PAGES_A_REQUEST] if number > gathered.last]
            if part:
                await self._gather(data, {**fields, "pages": format_pages(part)}, gathered)


class _Gathered:
    """Pages of one document so far, those of an earlier run among them."""

    def __init__(self, kept: PageFile, watcher: PagesWatcher, asked: int | None) -> None:
        self._kept = kept
        self._watcher = watcher
        self._asked = asked
        lines = kept.load()
        self.start: dict[str, Any] = lines[0] if lines else {}
        self.pages: list[dict[str, Any]] = lines[1:]
        self._timings_ms: dict[str, float] = {}
        if self.start:
            watcher.note_total(asked or self.start["pages_total"])
            for page in self.pages:
                watcher.note_page("error" not in page)

    @property
    def last(self) -> int:
        """Number of the last page that is there, 0 for none."""
        return int(self.pages[-1]["number"]) if self.pages else 0

    @property
    def pages_total(self) -> int:
        """Pages that the document has."""
        return int(self.start.get("pages_total", 0))

    def take(self, event: Mapping[str, Any]) -> bool:
        """Add what an event brings; False when it does not belong to what is there."""
        data = event["data"]
        if event["event"] == "document":
            if self.start:
                return bool(self.start["models"] == data["models"])
            self.start = dict(data)
            self._watcher.note_total(self._asked or data["pages_total"])
            if data["pages_total"] > 1:
                self._keep(self.start)
        elif event["event"] == "page":
            self.pages.append(data)
            self._watcher.note_page("error" not in data)
            if self.pages_total > 1:
                self._keep(data)
        else:
            for stage, milliseconds in data["timings_ms"].items():
                self._timings_ms[stage] = round(self._timings_ms.get(stage, 0.0) + milliseconds, 2)
        return True

    def forget(self) -> None:
        """Begin anew."""
        self._kept.drop()
        self.start, self.pages = {}, []

    def finish(self, fields: Mapping[str, str | Sequence[str]]) -> ReadPages:
        """All of it; a document that was asked for in parts has the pages that its caller chose."""
        asked = fields.get("pages")
        options = {name: value for name, value in self.start["options"].items() if name != "pages"}
        if asked is not None:
            options["pages"] = format_pages(parse_pages(str(asked)))
        return ReadPages({**self.start, "options": options}, self.pages, self._timings_ms)

    def _keep(self, line: Mapping[str, Any]) -> None:
        self._kept.append(json.dumps(line, ensure_ascii=False).encode() + b"\n")

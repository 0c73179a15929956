"""What an actor does with a shard: read each of its files, write the results, then the marker."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import obstore

from configs.profile import AppArgs, Profile
from deployments.errors import ServiceError
from serve_app.bulk.places import Place
from serve_app.bulk.shards import Markers, Shard
from serve_app.file_reading.report import FileReport
from serve_app.local_reader import LocalReader
from serve_app.reading_task import ReadingTask

# While one file is fetched or written, others are read; and a GPU's batches want company.
_FILES_AT_A_TIME = 4
_MAX_FILE_BYTES = 1024 * 1024 * 1024


class ShardReader:
    """Reads shards one after the other, with models that are loaded once. Raises as `LocalReader`."""

    def __init__(self, source: Place, out: Place, task: ReadingTask, profile: Profile, args: AppArgs) -> None:
        self._source = source.open()
        self._out = out.open(is_new=True)
        self._task = task
        self._markers = Markers(self._out, task.fingerprint())
        self._reader = LocalReader(profile, args, task)
        self._runner = asyncio.Runner()

    def read_shard(self, shard: Shard) -> list[FileReport]:
        """What became of each file; the shard is marked as done."""
        reports = self._runner.run(self._read_all(shard))
        self._markers.write(shard, reports)
        return reports

    def close(self) -> None:
        """End the processes in which files are opened."""
        self._reader.close()
        self._runner.close()

    async def _read_all(self, shard: Shard) -> list[FileReport]:
        gate = asyncio.Semaphore(_FILES_AT_A_TIME)

        async def read_in_turn(key: str) -> FileReport:
            async with gate:
                return await self._read_file(key)

        return await asyncio.gather(*(read_in_turn(entry.key) for entry in shard.entries))

    async def _read_file(self, key: str) -> FileReport:
        try:
            data = await self._fetch(key)
        except Exception as error:
            # Of a store, there are as many kinds of errors as there are stores.
            return _fail(key, "unreadable_file", f"The file cannot be fetched: {type(error).__name__}.")
        if data is None:
            return _fail(key, "too_many_bytes", f"The file has more than {_MAX_FILE_BYTES} bytes.")
        try:
            contents, pages = await self._reader.make_results(data)
        except ServiceError as error:
            return _fail(key, error.code, error.message)
        names = self._task.output_names(key)
        # What cannot be written is no fault of the file: the shard is not done.
        await _all(obstore.put_async, self._out, {names[form]: content for form, content in contents.items()})
        failed = {page.number: page.error.code for page in pages if page.error is not None}
        return FileReport(key, "read", len(pages) - len(failed), tuple(names.values()), failed)

    async def _fetch(self, key: str) -> bytes | None:
        """A file's bytes, None when they are too many."""
        answer = await obstore.get_async(self._source, key)
        if answer.meta["size"] > _MAX_FILE_BYTES:
            return None
        return bytes(await answer.bytes_async())


def _fail(key: str, code: str, message: str) -> FileReport:
    return FileReport(key, "failed", code=code, message=message)


async def _all(put: Callable[..., Awaitable[Any]], store: Any, contents: dict[str, bytes]) -> None:
    await asyncio.gather(*(put(store, name, content) for name, content in contents.items()))

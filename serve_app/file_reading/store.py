"""The folder of results: files that appear whole or not at all, and a record of what is done.

Beside the results lies a folder `.ocr-serve`: the record (one JSON line a file, the last one counts), pages
of long documents that are not done yet, and files that are being written. Whatever moment a process ends in,
the next one goes on with what is recorded.
"""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from serve_app.file_reading.failures import StoreFailed

_OWN_FOLDER = ".ocr-serve"


@dataclass(frozen=True)
class Record:
    """A file that was read: what it was, and how it was read."""

    source: str
    sha256: str
    fingerprint: str
    pages: int
    outputs: tuple[str, ...]


class ResultStore:
    """Results below one folder, which is made, and locked as long as the store is open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own = folder / _OWN_FOLDER
        self._drafts = self._own / "drafts"
        try:
            self._own.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self._own / "lock")
            self._lock.acquire(timeout=0)
            # What a process left that was ended while it wrote.
            shutil.rmtree(self._drafts, ignore_errors=True)
            for name in ("drafts", "pages"):
                (self._own / name).mkdir(exist_ok=True)
            self._records = self._load_records()
            self._record_file = (self._own / "done.jsonl").open("ab")
        except Timeout:
            raise StoreFailed(f"Another run is writing into {folder}.") from None
        except OSError as error:
            raise StoreFailed(f"Results cannot be written into {folder}: {error.strerror}.") from error

    def close(self) -> None:
        """Let go of the folder."""
        self._record_file.close()
        self._lock.release()

    def is_done(self, source: str, sha256: str, fingerprint: str, outputs: Sequence[str]) -> Record | None:
        """The record of a file that needs no reading: same bytes, same options, all results there."""
        record = self._records.get(source)
        if record is None or (record.sha256, record.fingerprint) != (sha256, fingerprint):
            return None
        return record if all((self._folder / name).is_file() for name in outputs) else None

    def write(self, record: Record, contents: Mapping[str, bytes]) -> None:
        """Write results, and then record them. Raises `StoreFailed`."""
        try:
            for name, content in contents.items():
                self._write_file(self._folder / name, content)
            self._record_file.write(json.dumps(asdict(record), ensure_ascii=False).encode() + b"\n")
            self._record_file.flush()
            os.fsync(self._record_file.fileno())
        except OSError as error:
            raise StoreFailed(f"Results cannot be written into {self._folder}: {error.strerror}.") from error
        self._records[record.source] = record

    def open_pages(self, sha256: str, fingerprint: str) -> "PageFile":
        """The pages of a file that are there already, for more to be added."""
        name = hashlib.sha256(f"{sha256} {fingerprint}".encode()).hexdigest()[:40]
        return PageFile(self._own / "pages" / f"{name}.ndjson")

    def _write_file(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._drafts / uuid.uuid4().hex
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def _load_records(self) -> dict[str, Record]:
        path = self._own / "done.jsonl"
        lines = _read_whole_lines(path)
        return {line["source"]: Record(**{**line, "outputs": tuple(line["outputs"])}) for line in lines}


class PageFile:
    """JSON lines of a document that is being read; a line that was cut by the end of a process is dropped."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> list[dict[str, Any]]:
        """All lines."""
        return _read_whole_lines(self._path)

    def append(self, line: bytes) -> None:
        """Add a line, which ends with a newline. Raises `StoreFailed`."""
        try:
            with self._path.open("ab") as file:
                file.write(line)
        except OSError as error:
            raise StoreFailed(f"Pages cannot be kept: {error.strerror}.") from error

    def drop(self) -> None:
        """Forget the pages."""
        self._path.unlink(missing_ok=True)


def _read_whole_lines(path: Path) -> list[dict[str, Any]]:
    """The JSON lines of a file, which is cut where the first line begins that is none."""
    if not path.exists():
        return []
    lines: list[dict[str, Any]] = []
    whole_bytes = 0
    with path.open("rb") as file:
        for line in file:
            try:
                if not line.endswith(b"\n"):
                    break
                lines.append(json.loads(line))
            except ValueError:
                break
            whole_bytes += len(line)
    if whole_bytes < path.stat().st_size:
        os.truncate(path, whole_bytes)
    return lines

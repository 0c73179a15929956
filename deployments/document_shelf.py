"""Documents that were read, kept for a while: in memory, and what has no room there in a folder.

The bytes of a document are kept under an id that nobody can guess and that its owner alone can use. The same
document of the same owner has the same id, so that it is found again without it.
"""

import contextlib
import hashlib
import hmac
import logging
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cachetools import TLRUCache

logger = logging.getLogger(__name__)

_MIB = 1024 * 1024
_ID_PREFIX = "doc_"


@dataclass(frozen=True)
class ShelfUsage:
    """Counters of a shelf, and what it holds now."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0
    memory_bytes: int = 0
    disk_bytes: int = 0


@dataclass(frozen=True)
class _Kept:
    owner: str
    size_bytes: int
    expires_s: float
    # The bytes themselves, or where they lie with their hash.
    data: bytes | None = None
    sha256: str = ""


class _Tier(TLRUCache[str, _Kept]):
    """Entries up to so many bytes, each until its own time; ``leave`` is told what had no room."""

    def __init__(
        self, max_bytes: int, clock_s: Callable[[], float], leave: Callable[[str, _Kept], None]
    ) -> None:
        super().__init__(
            max_bytes,
            ttu=lambda _key, entry, _now: entry.expires_s,
            timer=clock_s,
            getsizeof=lambda entry: entry.size_bytes,
        )
        self._leave = leave

    def popitem(self) -> tuple[str, _Kept]:
        """Drop what was not used for longest."""
        key, entry = super().popitem()
        self._leave(key, entry)
        return key, entry


class DocumentShelf:
    """Keeps the bytes of documents for ``ttl_s`` seconds after they were put or last asked for anew.

    At most ``memory_mib`` and ``disk_mib`` of them; those that were not used for longest go first. The folder
    is a new one, that nobody else may enter; what is changed or missing there is not found.
    Not for use by two threads.
    """

    def __init__(
        self,
        memory_mib: int,
        disk_mib: int,
        ttl_s: float,
        folder: Path | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ttl_s = ttl_s
        self._clock_s = clock_s
        self._secret = secrets.token_bytes(32)
        self._folder = Path(tempfile.mkdtemp(prefix="ocr-documents-", dir=folder))
        self._memory = _Tier(memory_mib * _MIB, clock_s, self._spill)
        self._disk = _Tier(disk_mib * _MIB, clock_s, self._drop)
        self._hits = self._misses = self._evictions = 0

    def put(self, owner: str, content: str, data: bytes) -> str | None:
        """Keep a document whose ``content`` names what it is; its id, or None when it has no room at all."""
        document_id = self.name(owner, content)
        self._forget(document_id)
        entry = _Kept(owner, len(data), self._clock_s() + self._ttl_s, data)
        for tier in (self._memory, self._disk):
            if entry.size_bytes <= tier.maxsize:
                if tier is self._disk:
                    self._spill(document_id, entry)
                else:
                    tier[document_id] = entry
                return document_id
        return None

    def find(self, owner: str, content: str) -> tuple[str, bytes] | None:
        """The id and the bytes of a document that is kept."""
        document_id = self.name(owner, content)
        data = self.get(owner, document_id)
        return None if data is None else (document_id, data)

    def get(self, owner: str, document_id: str) -> bytes | None:
        """The bytes of the owner's document, or None when it is not kept, or not any more."""
        self._expire()
        entry = self._memory.get(document_id) or self._disk.get(document_id)
        data = None if entry is None or entry.owner != owner else self._load(document_id, entry)
        self._hits += data is not None
        self._misses += data is None
        return data

    def name(self, owner: str, content: str) -> str:
        """The id of a document of this owner, whether it is kept or not."""
        text = f"{len(owner)}:{owner}{content}".encode()
        return _ID_PREFIX + hmac.new(self._secret, text, hashlib.sha256).hexdigest()[:32]

    def describe(self) -> ShelfUsage:
        """Counters since the shelf was made, and what it holds."""
        self._expire()
        return ShelfUsage(
            self._hits, self._misses, self._evictions, int(self._memory.currsize), int(self._disk.currsize)
        )

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _load(self, document_id: str, entry: _Kept) -> bytes | None:
        if entry.data is not None:
            return entry.data
        try:
            data = self._path(document_id).read_bytes()
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() == entry.sha256:
            return data
        logger.warning("a kept document is gone or was changed: it is forgotten")
        self._forget(document_id)
        return None

    def _spill(self, document_id: str, entry: _Kept) -> None:
        """Put into the folder what has no room in memory."""
        if entry.data is None or entry.size_bytes > self._disk.maxsize:
            self._evictions += 1
            return
        try:
            self._path(document_id).write_bytes(entry.data)
        except OSError as error:
            logger.warning("a document cannot be kept on disk: %s", error.strerror)
            self._evictions += 1
            return
        sha256 = hashlib.sha256(entry.data).hexdigest()
        self._disk[document_id] = _Kept(entry.owner, entry.size_bytes, entry.expires_s, None, sha256)

    def _drop(self, document_id: str, entry: _Kept) -> None:
        self._evictions += 1
        self._remove_file(document_id)

    def _forget(self, document_id: str) -> None:
        self._memory.pop(document_id, None)
        if self._disk.pop(document_id, None) is not None:
            self._remove_file(document_id)

    def _expire(self) -> None:
        self._memory.expire()
        for document_id, _ in self._disk.expire():
            self._remove_file(document_id)

    def _remove_file(self, document_id: str) -> None:
        with contextlib.suppress(OSError):
            self._path(document_id).unlink()

    def _path(self, document_id: str) -> Path:
        return self._folder / document_id


def hash_content(data: bytes, *parts: Any) -> str:
    """What a document is: its bytes, and all that the reading of them depends on."""
    digest = hashlib.sha256(data)
    digest.update(repr(parts).encode())
    return digest.hexdigest()

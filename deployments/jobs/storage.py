"""The storage of jobs: a folder or a bucket, by obstore; what fails in it becomes `StorageUnavailable`.

Everything of a job lies under its own prefix, inputs under the hash of their bytes. Nothing is shared between
jobs: what is deleted with one of them is gone.
"""

import asyncio
import errno
import hashlib
import logging
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from deployments.errors import InputLost, StorageFull, StorageUnavailable

logger = logging.getLogger(__name__)

_RETRY_AFTER_S = 10
_JOBS = "jobs/"
_CHUNK_BYTES = 8 * 1024 * 1024
# What the Rust library says of them; its own classes do not tell them apart.
_FULL = re.compile(rf"os error ({errno.ENOSPC}|{errno.EDQUOT}|{errno.EFBIG})\b")


class JobStorage:
    """Objects by key under ``url`` (``file:///folder`` or ``s3://bucket/prefix``).

    Credentials and the endpoint of S3 come from the environment, as AWS tools find them. Every method raises
    `StorageUnavailable` or `StorageFull` when the storage cannot be used.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.can_sign = parts.scheme == "s3"
        self._folder = None if self.can_sign else Path(unquote(parts.path))
        self._url = url
        self._opened: Any = None

    async def put(self, key: str, data: bytes | IO[bytes]) -> None:
        """Store an object whole or not at all; when this returns, it outlives a power failure."""
        with _translated():
            await self._store().put_async(key, data, chunk_size=_CHUNK_BYTES)
            if self._folder is not None:
                await asyncio.to_thread(_write_through, self._folder / key)

    async def get(self, key: str) -> bytes:
        """An object's bytes. Raises `InputLost` when it is not there."""
        with _translated():
            answer = await self._store().get_async(key)
            return bytes(await answer.bytes_async())

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """An object's bytes, piece by piece. Raises `InputLost` when it is not there."""
        with _translated():
            answer = await self._store().get_async(key)
            async for chunk in answer.stream():
                yield bytes(chunk)

    async def find_size(self, key: str) -> int | None:
        """Bytes of an object, or None when it is not there."""
        try:
            with _translated():
                return int((await self._store().head_async(key))["size"])
        except InputLost:
            return None

    async def copy(self, source: str, target: str) -> None:
        """Copy an object to another key, where it is stored. Raises `InputLost` when it is not there."""
        with _translated():
            await self._store().copy_async(source, target)

    async def delete(self, key: str) -> None:
        """Delete an object; one that is not there is deleted already."""
        try:
            with _translated():
                await self._store().delete_async(key)
        except InputLost:
            pass

    async def list_keys(self, prefix: str) -> list[str]:
        """The keys below a prefix."""
        keys: list[str] = []
        with _translated():
            async for batch in self._store().list(prefix, chunk_size=1000):
                keys += [str(one["path"]) for one in batch]
        return keys

    async def list_jobs(self) -> list[str]:
        """The ids of the jobs of which anything lies here."""
        with _translated():
            found = await self._store().list_with_delimiter_async(_JOBS)
        return [str(prefix).rstrip("/").rpartition("/")[2] for prefix in found["common_prefixes"]]

    async def delete_all(self, prefix: str) -> int:
        """Delete all objects below a prefix; how many there were."""
        keys = await self.list_keys(prefix)
        with _translated():
            for start in range(0, len(keys), 1000):
                await self._store().delete_async(keys[start : start + 1000])
        if self._folder is not None:
            _remove_empty(self._folder / prefix)
        return len(keys)

    async def sign_upload(self, key: str, ttl_s: float) -> str:
        """An address to which whoever has it may PUT an object, for so many seconds."""
        import obstore

        with _translated():
            return str(await obstore.sign_async(self._store(), "PUT", key, timedelta(seconds=ttl_s)))

    async def check(self) -> None:
        """Raise unless an object can be stored now."""
        key = f"probe/{os.getpid()}"
        await self.put(key, b"probe")
        await self.delete(key)

    def _store(self) -> Any:
        if self._opened is None:
            from obstore.store import LocalStore, from_url

            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._opened = LocalStore(self._folder)
            else:
                # Said here as well: options of a client hide what the environment says of them.
                is_plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
                self._opened = from_url(
                    self._url,
                    client_options={"timeout": "60s", "connect_timeout": "5s", "allow_http": is_plain},
                    retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
                )
        return self._opened


def hash_file(file: IO[bytes]) -> tuple[str, int]:
    """The SHA-256 of an open file in hex, and its length; it stands at its beginning before and after."""
    file.seek(0)
    digest, size_bytes = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
        size_bytes += len(chunk)
    file.seek(0)
    return digest.hexdigest(), size_bytes


def hash_bytes(data: bytes) -> str:
    """The SHA-256 of bytes in hex."""
    return hashlib.sha256(data).hexdigest()


def job_prefix(job_id: str) -> str:
    """Where everything of a job lies."""
    return f"{_JOBS}{job_id}/"


def job_time_s(job_id: str) -> float:
    """When a job was handed in, by its id; now for anything else."""
    try:
        return int(job_id.removeprefix("job_")[:12], 16) / 1000
    except ValueError:
        return time.time()


def input_key(job_id: str, sha256: str) -> str:
    """Where a document lies."""
    return f"{job_prefix(job_id)}inputs/{sha256}"


def page_key(job_id: str, place: int, number: int) -> str:
    """Where a page that was read lies until its file is done."""
    return f"{job_prefix(job_id)}pages/{place}/{number}"


def result_key(job_id: str, place: int, form: str) -> str:
    """Where a file's result lies in one of its forms."""
    return f"{job_prefix(job_id)}results/{place}/{form}"


def upload_key(upload_id: str) -> str:
    """Where a document lies that was sent to the storage itself, until a job takes it."""
    return f"uploads/{upload_id}"


@contextmanager
def _translated() -> Iterator[None]:
    from obstore.exceptions import BaseError, NotFoundError

    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        if isinstance(error, NotFoundError | FileNotFoundError) and "NoSuchBucket" not in str(error):
            raise InputLost("The document is not in the storage any more.") from error
        # Not the text of the error: it may hold an address with its signature.
        logger.error("the storage of jobs failed: %s", type(error).__name__)
        logger.debug("cause", exc_info=True)
        if _FULL.search(str(error)) or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("The storage of jobs has no room.", _RETRY_AFTER_S) from error
        raise StorageUnavailable("The storage of jobs cannot be used now.", _RETRY_AFTER_S) from error


def _write_through(path: Path) -> None:
    """Let a file and its name reach the disk."""
    for place in (path, path.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_empty(folder: Path) -> None:
    for place, _, _ in os.walk(folder, topdown=False):
        try:
            os.rmdir(place)
        except OSError:
            return

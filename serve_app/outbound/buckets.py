"""Objects of S3 that the operator lets callers name; read with the service's own credentials."""

import asyncio
import re
from dataclasses import dataclass
from typing import Any, Self

from serve_app.outbound.errors import NotAllowed, TimedOut, TooLong, Unreachable

_SCHEME = "s3://"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MAX_KEY_BYTES = 1024
_CHUNK_BYTES = 1024 * 1024
_MAX_RETRIES = 2


@dataclass(frozen=True)
class BucketPolicy:
    """The operator's list: buckets with a prefix each, which is empty for a whole bucket."""

    prefixes: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `bucket` and `bucket/prefix` with commas. Raises `ValueError` with a sentence."""
        entries = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            bucket, _, prefix = part.removeprefix(_SCHEME).partition("/")
            if not _BUCKET.fullmatch(bucket):
                raise ValueError(f"{part!r} is no bucket such as my-bucket or my-bucket/folder")
            # A prefix is a folder: `in` must not allow `internal/report.pdf`.
            entries.append((bucket, f"{prefix.strip('/')}/" if prefix.strip("/") else ""))
        return cls(tuple(entries))

    def admit(self, text: str) -> tuple[str, str]:
        """Bucket and key of an `s3://` address. Raises `NotAllowed`; nobody is asked for that."""
        if not self.prefixes:
            raise NotAllowed("no bucket is allowed")
        bucket, _, key = text.removeprefix(_SCHEME).partition("/")
        if not text.startswith(_SCHEME) or not _BUCKET.fullmatch(bucket):
            raise NotAllowed("not an address such as s3://bucket/key")
        # What a client library might shorten to another key is refused, and S3 itself never shortens.
        if any(part in ("", ".", "..") for part in key.split("/")) or not key.isprintable():
            raise NotAllowed("not a key of an object")
        if len(key.encode()) > _MAX_KEY_BYTES:
            raise NotAllowed("the key is too long")
        if not any(bucket == allowed and key.startswith(prefix) for allowed, prefix in self.prefixes):
            raise NotAllowed("no rule allows this bucket and key")
        return bucket, key


class Buckets:
    """Reads objects that ``policy`` allows; endpoint, region and credentials are those of AWS's tools."""

    def __init__(self, policy: BucketPolicy, timeout_s: float) -> None:
        self._policy = policy
        self._timeout_s = timeout_s
        # One for each bucket of the operator's list at most.
        self._stores: dict[str, Any] = {}

    async def get(self, address: str, max_bytes: int) -> bytes:
        """The object at an `s3://` address. Raises `NotAllowed`, `Unreachable`, `TimedOut`, `TooLong`."""
        # Late: whoever allows no bucket need not load it.
        from obstore.exceptions import BaseError

        bucket, key = self._policy.admit(address)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await _read_object(self._open(bucket), key, max_bytes)
        except TimeoutError:
            raise TimedOut("no whole object in time") from None
        except (BaseError, OSError, ValueError) as error:
            # Whether an object is not there or not for us is not told apart; nor does S3 always tell.
            raise Unreachable(type(error).__name__) from None

    def _open(self, bucket: str) -> Any:
        from obstore.store import S3Store

        if bucket not in self._stores:
            self._stores[bucket] = S3Store(bucket, retry_config={"max_retries": _MAX_RETRIES})
        return self._stores[bucket]


async def _read_object(store: Any, key: str, max_bytes: int) -> bytes:
    found = await store.get_async(key)
    if found.meta["size"] > max_bytes:
        raise TooLong("too long by its own account")
    data = bytearray()
    async for chunk in found.stream(min_chunk_size=_CHUNK_BYTES):
        data += chunk
        if len(data) > max_bytes:
            raise TooLong("too long")
    return bytes(data)

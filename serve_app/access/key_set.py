"""The public keys with which tokens are signed (a JSON Web Key Set), fetched once and kept."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
from jose import jwk
from jose.constants import ALGORITHMS
from jose.exceptions import JOSEError

logger = logging.getLogger(__name__)

# After a success, an unknown key id may lead to a fetch once in this time, whoever asks for it.
REFRESH_S = 60.0
# While there are no keys at all, callers wait for the service: try sooner.
COLD_RETRY_S = 5.0
_TIMEOUT_S = 5.0
_MAX_BYTES = 256 * 1024
_MIN_MODULUS_BITS = 2048

# A public RSA key of python-jose, which has no type of its own.
PublicKey = Any


class KeySetUnreachable(Exception):
    """There are no keys, neither fetched now nor before."""


class KeySet:
    """Keys by their id. A set that was fetched once is used on while its endpoint cannot be reached."""

    def __init__(self, url: str, read_clock_s: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._read_clock_s = read_clock_s
        self._keys: Mapping[str, PublicKey] | None = None
        self._next_fetch_s = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, key_id: str) -> PublicKey | None:
        """The key with this id, None where there is none. Raises `KeySetUnreachable`."""
        if self._keys is None or key_id not in self._keys:
            # One fetch at a time; who waited for it finds the time of the next one moved.
            async with self._lock:
                if (self._keys is None or key_id not in self._keys) and self._may_fetch():
                    await self._refresh()
        if self._keys is None:
            raise KeySetUnreachable
        return self._keys.get(key_id)

    def _may_fetch(self) -> bool:
        return self._read_clock_s() >= self._next_fetch_s

    async def _refresh(self) -> None:
        try:
            self._keys = parse_key_set(await self._fetch())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            kept = "there are no keys yet" if self._keys is None else "the keys fetched before stay"
            logger.error("The key set cannot be fetched (%s); %s.", type(error).__name__, kept)
        pause_s = COLD_RETRY_S if self._keys is None else REFRESH_S
        self._next_fetch_s = self._read_clock_s() + pause_s

    async def _fetch(self) -> bytes:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        # A session for each fetch: there is one a minute at most.
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(self._url, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise ValueError(f"status {answer.status}")
            data = bytearray()
            async for chunk in answer.content.iter_chunked(16 * 1024):
                data += chunk
                if len(data) > _MAX_BYTES:
                    raise ValueError("too long")
            return bytes(data)


def parse_key_set(data: bytes) -> dict[str, PublicKey]:
    """The RSA keys for signatures in a key set; others are left out. Raises `ValueError`."""
    try:
        entries = json.loads(data)["keys"]
        keys = {entry["kid"]: _make_key(entry) for entry in entries if _is_usable(entry)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, JOSEError) as error:
        raise ValueError("not a key set") from error
    if not keys:
        raise ValueError("no usable key")
    return keys


def _is_usable(entry: Mapping[str, Any]) -> bool:
    return (
        entry.get("kty") == "RSA"
        and entry.get("use", "sig") == "sig"
        and entry.get("alg", ALGORITHMS.RS256) == ALGORITHMS.RS256
        and isinstance(entry.get("kid"), str)
        # Six bits a character.
        and len(str(entry.get("n", "")).rstrip("=")) * 6 >= _MIN_MODULUS_BITS
    )


def _make_key(entry: Mapping[str, Any]) -> PublicKey:
    return jwk.construct({name: entry[name] for name in ("kty", "n", "e")}, ALGORITHMS.RS256)

"""All keys together: those that stay as they are, and those of sources that change."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from deployments.errors import Unauthorized
from serve_app.access.keys import KeyRecord, KeyRing

_HEADER = "x-api-key"


class KeySource(Protocol):
    """Where keys come from."""

    def load(self) -> tuple[KeyRecord, ...]:
        """The keys at the start. Raises `ValueError` with one sentence for the operator."""
        ...

    async def reload(self) -> tuple[KeyRecord, ...] | None:
        """The keys where they have changed, None where they have not; raises nothing."""
        ...


class KeyStore:
    """Finds the record of a key. Of two keys with one id, that of the earlier source counts."""

    def __init__(self, fixed: Sequence[KeyRecord], plain: Sequence[KeyRecord], sources: Sequence[KeySource]):
        self._fixed = tuple(fixed)
        self._plain = tuple(plain)
        self._sources = [(source, source.load()) for source in sources]
        self._ring = self._make_ring()

    async def check(self, presented: bytes) -> KeyRecord:
        """The record of a key that may be used now. Raises `Unauthorized`."""
        await self._reload()
        record = self._ring.find(presented)
        if record is None:
            raise Unauthorized(f"The key in the header {_HEADER} is not valid.")
        # Who sent the right key may know what became of it.
        if record.revoked is not None:
            raise Unauthorized(f"The key in the header {_HEADER} was revoked.")
        if record.expires is not None and record.expires <= datetime.now(UTC):
            raise Unauthorized(f"The key in the header {_HEADER} has expired.")
        return record

    async def get(self, key_id: str) -> KeyRecord | None:
        """The record with this id, whether the key may be used or not."""
        await self._reload()
        return self._ring.get(key_id)

    @property
    def is_empty(self) -> bool:
        """Whether nobody could come in, now or later."""
        return self._ring.is_empty and not self._sources

    async def _reload(self) -> None:
        changed = False
        for number, (source, _) in enumerate(self._sources):
            records = await source.reload()
            if records is not None:
                self._sources[number] = (source, records)
                changed = True
        if changed:
            self._ring = self._make_ring()

    def _make_ring(self) -> KeyRing:
        return KeyRing([*self._fixed, *(r for _, records in self._sources for r in records)], self._plain)

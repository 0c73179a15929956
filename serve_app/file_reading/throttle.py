"""How many requests are on their way at a time: more while the server takes them, fewer when it says no."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_FIRST = 2
# Refusals of requests that were sent together are one sign, not several.
_ONE_SIGN_S = 1.0


class Throttle:
    """Additive increase and multiplicative decrease, as TCP has it; at most ``most`` at a time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(min(_FIRST, most))
        self._under_way = 0
        self._closed_until_s = 0.0
        self._cut_s = 0.0
        self._changed = asyncio.Condition()

    @property
    def limit(self) -> int:
        """How many may be on their way now."""
        return int(self._limit)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it."""
        async with self._changed:
            while self._under_way >= self.limit:
                await self._changed.wait()
            self._under_way += 1
        try:
            # Those who wait already are not asked again when another is refused.
            await asyncio.sleep(max(0.0, self._closed_until_s - time.monotonic()))
            yield
        finally:
            async with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def note_success(self) -> None:
        """A request was answered."""
        self._limit = min(float(self._most), self._limit + 1 / self._limit)

    def note_refusal(self, after_s: float) -> None:
        """The server has no room, and says when it will."""
        now_s = time.monotonic()
        self._closed_until_s = max(self._closed_until_s, now_s + after_s)
        if now_s - self._cut_s > _ONE_SIGN_S:
            self._cut_s = now_s
            self._limit = max(1.0, self._limit / 2)

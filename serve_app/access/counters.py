"""What callers have used: requests and pixels in a minute, pages in a day, requests at a time.

Requests are counted in a moving window: no minute, wherever it begins, holds more of them than the quota.
What a document costs is known when it was read; so pixels and pages are added afterwards, to a window that
begins with the first of them, and a caller is refused while a window is full. The last document may go over.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from serve_app.access.caller import CallerLimits

MEMORY_URI = "memory://"
# Both servers speak one protocol, so one client does for both.
_SCHEMES = {"valkey": "valkey", "valkeys": "valkeys", "redis": "valkey", "rediss": "valkeys"}
_RETRY_SLOT_S = 1
_NETWORK_TIMEOUT_S = 1.0

Storage = MemoryStorage | RedisStorage
WindowName = Literal["requests", "pixels", "pages"]


@dataclass(frozen=True)
class Window:
    """A quota, what is left of it, and in how many seconds more of it is free (0 when all of it is)."""

    name: WindowName
    quota: int
    window_s: int
    remaining: int
    reset_s: int


@dataclass(frozen=True)
class Verdict:
    """Whether a request may go on; ``refused_by`` names the limit that it met."""

    windows: tuple[Window, ...]
    refused_by: WindowName | Literal["concurrent"] | None = None
    retry_after_s: int = 0


@dataclass(frozen=True)
class Ticket:
    """A request to be counted.

    Its id comes from who asks, so that a place can be given back even where the answer never came.
    """

    caller_id: str
    limits: CallerLimits
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)


class CounterStore(Protocol):
    """Counters that all replicas share."""

    async def take(self, ticket: Ticket, lease_s: float) -> Verdict:
        """Count a request, or refuse it. Raises `CountersUnavailable`."""
        ...

    def settle(self, ticket: Ticket, pages: int, pixels: int) -> None:
        """Give a place back and count what was read; does not wait, and never fails."""
        ...

    async def look(self, caller_id: str, limits: CallerLimits) -> tuple[Window, ...]:
        """What is left, without counting. Raises `CountersUnavailable`."""
        ...


class CountersUnavailable(Exception):
    """Nobody can say what a caller has used."""


class Counters:
    """Counts in a storage of the library `limits`: its own memory, or a Valkey or Redis server.

    Places for requests at a time are kept here in any case, each for ``lease_s`` at most: a replica that dies
    gives none back. Safe to call from several threads. Raises the storage's own errors.
    """

    def __init__(
        self, storage_uri: str = MEMORY_URI, read_clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        storage = make_storage(storage_uri)
        self._moving = MovingWindowRateLimiter(storage)
        self._fixed = FixedWindowRateLimiter(storage)
        self._read_clock_s = read_clock_s
        self._leases: dict[str, dict[str, float]] = {}
        self._lock = threading.Lock()

    def take(self, ticket: Ticket, lease_s: float) -> Verdict:
        """Count a request, or say which limit refuses it; what is refused costs nothing."""
        caller_id, limits = ticket.caller_id, ticket.limits
        if not self._take_place(ticket, lease_s):
            return Verdict(self.look(caller_id, limits), "concurrent", _RETRY_SLOT_S)
        try:
            refused_by = self._find_full(caller_id, limits)
            windows = self.look(caller_id, limits)
        except Exception:
            self._give_back(ticket)
            raise
        if refused_by is None:
            return Verdict(windows)
        self._give_back(ticket)
        wait_s = max((window.reset_s for window in windows if window.name == refused_by), default=1)
        return Verdict(windows, refused_by, max(1, wait_s))

    def settle(self, ticket: Ticket, pages: int, pixels: int) -> None:
        """Give a place back and count what was read."""
        self._give_back(ticket)
        for name, item in _after_reading(ticket.limits):
            used = pages if name == "pages" else pixels
            if used > 0:
                self._fixed.hit(item, name, ticket.caller_id, cost=used)

    def look(self, caller_id: str, limits: CallerLimits) -> tuple[Window, ...]:
        """What is left of each quota."""
        windows = []
        requests = _requests_item(limits)
        if requests is not None:
            windows.append(self._describe(self._moving, "requests", requests, caller_id))
        windows += [
            self._describe(self._fixed, name, item, caller_id) for name, item in _after_reading(limits)
        ]
        return tuple(windows)

    def _find_full(self, caller_id: str, limits: CallerLimits) -> WindowName | None:
        for name, item in _after_reading(limits):
            if self._fixed.get_window_stats(item, name, caller_id).remaining <= 0:
                return name
        requests = _requests_item(limits)
        # Last, because it counts.
        if requests is not None and not self._moving.hit(requests, "requests", caller_id):
            return "requests"
        return None

    def _describe(
        self,
        strategy: MovingWindowRateLimiter | FixedWindowRateLimiter,
        name: WindowName,
        item: RateLimitItem,
        caller_id: str,
    ) -> Window:
        stats = strategy.get_window_stats(item, name, caller_id)
        full = stats.remaining >= item.amount
        reset_s = 0 if full else max(1, -int(-(stats.reset_time - time.time()) // 1))
        return Window(name, item.amount, item.get_expiry(), max(0, stats.remaining), reset_s)

    def _take_place(self, ticket: Ticket, lease_s: float) -> bool:
        places = ticket.limits.concurrent_requests
        if places is None:
            return True
        now_s = self._read_clock_s()
        with self._lock:
            held = self._leases.setdefault(ticket.caller_id, {})
            for request_id in [request_id for request_id, end_s in held.items() if end_s <= now_s]:
                del held[request_id]
            if len(held) >= places:
                return False
            held[ticket.request_id] = now_s + lease_s
            return True

    def _give_back(self, ticket: Ticket) -> None:
        with self._lock:
            held = self._leases.get(ticket.caller_id, {})
            held.pop(ticket.request_id, None)
            if not held:
                self._leases.pop(ticket.caller_id, None)


def make_storage(uri: str) -> Storage:
    """A storage of the library. Raises `ValueError` for an address that it does not know."""
    check_storage_uri(uri)
    if uri == MEMORY_URI:
        return MemoryStorage()
    scheme, _, rest = uri.partition("://")
    return RedisStorage(
        f"{_SCHEMES[scheme]}://{rest}",
        key_prefix="ocr-serve",
        socket_timeout=_NETWORK_TIMEOUT_S,
        socket_connect_timeout=_NETWORK_TIMEOUT_S,
    )


def check_storage_uri(uri: str) -> None:
    """Raise `ValueError`, without the address, which may hold a password, for one of an unknown kind."""
    scheme, separator, rest = uri.partition("://")
    if uri != MEMORY_URI and not (separator and rest and scheme in _SCHEMES):
        raise ValueError(
            "RATE_LIMIT_STORAGE_URI must be memory://, or begin with valkey(s):// or redis(s)://."
        )


def _requests_item(limits: CallerLimits) -> RateLimitItem | None:
    quota = limits.requests_per_minute
    return None if quota is None else RateLimitItemPerMinute(quota)


def _after_reading(limits: CallerLimits) -> Iterator[tuple[WindowName, RateLimitItem]]:
    if limits.pixels_per_minute is not None:
        yield "pixels", RateLimitItemPerMinute(limits.pixels_per_minute)
    if limits.pages_per_day is not None:
        yield "pages", RateLimitItemPerDay(limits.pages_per_day)

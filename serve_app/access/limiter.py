"""Holds callers to their limits; where nobody can count, they are let through."""

import logging
import time
from collections.abc import Callable

from serve_app.access.caller import Caller
from serve_app.access.counters import CounterStore, CountersUnavailable, Ticket, Verdict, Window
from serve_app.access.record import RequestRecord
from serve_app.error_codes import RateLimited

logger = logging.getLogger(__name__)

# After a failure, callers are not made to wait for another one.
_PAUSE_S = 5.0

_REASONS = {
    "requests": "The requests of this minute are used up.",
    "pixels": "The pixels of this minute are used up.",
    "pages": "The pages of this day are used up.",
    "concurrent": "As many requests as may run at a time are running.",
}


class Limiter:
    """Asks the counters before a request, and tells them after it what it has used.

    ``lease_s`` is how long a place is kept for a request at most; ``note_failure`` is called for each request
    that nobody counted.
    """

    def __init__(
        self,
        counters: CounterStore,
        lease_s: float,
        note_failure: Callable[[], None] = lambda: None,
        read_clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counters = counters
        self._lease_s = lease_s
        self._note_failure = note_failure
        self._read_clock_s = read_clock_s
        self._paused_until_s = float("-inf")

    async def admit(self, caller: Caller, record: RequestRecord) -> None:
        """Let the request go on, or raise `RateLimited`. Who has no limits costs no question."""
        if caller.limits.is_unlimited:
            return
        ticket = Ticket(caller.key_id, caller.limits)
        # Before the question: a caller may leave, or the answer come too late, when a place is taken already.
        record.at_end.append(lambda done: self._counters.settle(ticket, done.pages, done.pixels))
        verdict = await self._ask(ticket)
        if verdict is None:
            return
        record.headers |= describe_windows(verdict.windows)
        if verdict.refused_by is not None:
            record.at_end.clear()
            raise RateLimited(_REASONS[verdict.refused_by], verdict.retry_after_s)

    async def look(self, caller: Caller) -> tuple[Window, ...]:
        """What is left of a caller's limits. Raises `CountersUnavailable`."""
        return await self._counters.look(caller.key_id, caller.limits)

    async def _ask(self, ticket: Ticket) -> Verdict | None:
        if self._read_clock_s() < self._paused_until_s:
            self._note_failure()
            return None
        try:
            return await self._counters.take(ticket, self._lease_s)
        except CountersUnavailable as error:
            self._paused_until_s = self._read_clock_s() + _PAUSE_S
            self._note_failure()
            logger.error("Limits are not enforced for %g s: %s", _PAUSE_S, error)
            return None


def describe_windows(windows: tuple[Window, ...]) -> dict[str, str]:
    """The headers of the IETF's draft-ietf-httpapi-ratelimit-headers: quotas, and what is left of each."""
    if not windows:
        return {}
    policies = ", ".join(f'"{item.name}";q={item.quota};w={item.window_s}' for item in windows)
    states = ", ".join(f'"{item.name}";r={item.remaining};t={item.reset_s}' for item in windows)
    return {"RateLimit-Policy": policies, "RateLimit": states}

"""Counters of one process: for the API alone, without a cluster around it."""

from serve_app.access.caller import CallerLimits
from serve_app.access.counters import Counters, Ticket, Verdict, Window


class LocalCounters:
    """A `CounterStore` over `Counters` in this process's memory."""

    def __init__(self) -> None:
        self._counters = Counters()

    async def take(self, ticket: Ticket, lease_s: float) -> Verdict:
        """Count a request, or refuse it."""
        return self._counters.take(ticket, lease_s)

    def settle(self, ticket: Ticket, pages: int, pixels: int) -> None:
        """Give a place back and count what was read."""
        self._counters.settle(ticket, pages, pixels)

    async def look(self, caller_id: str, limits: CallerLimits) -> tuple[Window, ...]:
        """What is left, without counting."""
        return self._counters.look(caller_id, limits)

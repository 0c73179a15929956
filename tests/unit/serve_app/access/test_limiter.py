"""Holding callers to their limits."""

import asyncio

import pytest

from serve_app.access.caller import Caller, CallerLimits
from serve_app.access.counters import CountersUnavailable, Ticket, Verdict, Window
from serve_app.access.limiter import Limiter, describe_windows
from serve_app.access.local_counters import LocalCounters
from serve_app.access.record import RequestRecord
from serve_app.error_codes import RateLimited


class BrokenCounters:
    """Counters that a test can break and mend."""

    def __init__(self) -> None:
        self.broken = True
        self.questions = 0

    async def take(self, ticket: Ticket, lease_s: float) -> Verdict:
        self.questions += 1
        if self.broken:
            raise CountersUnavailable("gone")
        return Verdict((), "requests", 7)

    async def look(self, caller_id: str, limits: CallerLimits) -> tuple[Window, ...]:
        raise CountersUnavailable("gone")

    def settle(self, *_: object) -> None:
        """Nobody listens."""


def make_caller(**limits: int) -> Caller:
    return Caller("id", "owner", frozenset({"ocr"}), CallerLimits(**limits))


async def test_who_has_no_limits_is_not_counted() -> None:
    """It would cost every request a call."""
    counters = BrokenCounters()
    await Limiter(counters, 1.0).admit(make_caller(), RequestRecord())
    assert counters.questions == 0


async def test_a_refusal_says_why_and_until_when() -> None:
    """In the error, and in the headers."""
    limiter, record = Limiter(LocalCounters(), 1.0), RequestRecord()
    caller = make_caller(requests_per_minute=1)
    await limiter.admit(caller, record)
    assert record.headers["RateLimit"] == '"requests";r=0;t=60'
    assert record.headers["RateLimit-Policy"] == '"requests";q=1;w=60'
    with pytest.raises(RateLimited, match="requests of this minute") as caught:
        await limiter.admit(caller, record)
    assert 1 <= caught.value.retry_after_s <= 60


async def test_what_was_read_is_counted_at_the_end() -> None:
    """Pages of the request's record, when it is over."""
    limiter, record = Limiter(LocalCounters(), 1.0), RequestRecord()
    caller = make_caller(pages_per_day=10, concurrent_requests=1)
    await limiter.admit(caller, record)
    with pytest.raises(RateLimited, match="at a time"):
        await limiter.admit(caller, RequestRecord())
    record.pages = 4
    for settle in record.at_end:
        settle(record)
    (window,) = await limiter.look(caller)
    assert window.remaining == 6
    await limiter.admit(caller, RequestRecord())


async def test_where_nobody_can_count_requests_pass(caplog) -> None:
    """Noted each time; the counters are left alone for a while, and then asked again."""
    counters, noted, now_s = BrokenCounters(), [], 0.0
    limiter = Limiter(counters, 1.0, lambda: noted.append(1), lambda: now_s)
    caller = make_caller(requests_per_minute=1)
    for _ in range(3):
        await limiter.admit(caller, RequestRecord())
    assert (counters.questions, len(noted), len(caplog.records)) == (1, 3, 1)
    now_s, counters.broken = 5.0, False
    with pytest.raises(RateLimited):
        await limiter.admit(caller, RequestRecord())


def test_headers_name_every_quota() -> None:
    """As the draft of the IETF writes them."""
    windows = (Window("requests", 60, 60, 59, 1), Window("pages", 100, 86400, 100, 0))
    assert describe_windows(windows) == {
        "RateLimit-Policy": '"requests";q=60;w=60, "pages";q=100;w=86400',
        "RateLimit": '"requests";r=59;t=1, "pages";r=100;t=0',
    }
    assert describe_windows(()) == {}


class SlowCounters(LocalCounters):
    """Counters that have counted, and whose answer takes for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.has_counted = asyncio.Event()

    async def take(self, ticket: Ticket, lease_s: float) -> Verdict:
        await super().take(ticket, lease_s)
        self.has_counted.set()
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_caller_who_leaves_early_keeps_no_place() -> None:
    """The place was taken, and the answer did not come any more."""
    counters, record = SlowCounters(), RequestRecord()
    caller = make_caller(concurrent_requests=1)
    task = asyncio.create_task(Limiter(counters, 60.0).admit(caller, record))
    await counters.has_counted.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for settle in record.at_end:
        settle(record)
    ticket = Ticket(caller.key_id, caller.limits)
    assert (await LocalCounters.take(counters, ticket, 60.0)).refused_by is None

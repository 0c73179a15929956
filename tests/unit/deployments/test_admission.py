"""Who is let in: by the work that waits, and the rate at which it gets done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.admission import Admission
from deployments.errors import Busy


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_document_is_let_in_as_long_as_the_wait_is_bearable() -> None:
    """Ten seconds of work are before the one that is refused, and five are too many."""
    admission = Admission(max_queue_s=5.0, pixels_per_s=100.0, clock=Clock())
    with admission.admit(400, 1, 4), admission.admit(600, 1, 4):
        assert admission.wait_s == 10.0
        with pytest.raises(Busy) as refused, admission.admit(1, 1, 4):
            pass
        assert refused.value.retry_after_s == 5
    admission.check_room()


def test_refused_callers_are_not_all_told_the_same_moment() -> None:
    """Each is told a document later than the one before, so that they do not all come back at once."""
    clock = Clock()
    admission = Admission(max_queue_s=5.0, pixels_per_s=100.0, clock=clock)

    def ask() -> int:
        with pytest.raises(Busy) as refused:
            admission.check_room()
        return refused.value.retry_after_s

    with admission.admit(1000, 1, 1):
        told = [ask() for _ in range(10)]
        assert told == sorted(told)
        assert told[0] == 5
        assert told[-1] > 20
        assert max(ask() for _ in range(1000)) == 60
        clock.now_s += 100
        assert ask() == 5


def test_an_idle_service_takes_any_document() -> None:
    """However large: waiting would not make it smaller."""
    admission = Admission(max_queue_s=1.0, pixels_per_s=1.0, clock=Clock())
    with admission.admit(10**9, 500, 4), pytest.raises(Busy):
        admission.check_room()
    admission.check_room()


def test_a_long_document_counts_for_the_pages_on_their_way() -> None:
    """The others of its pages wait behind newcomers, not before them."""
    admission = Admission(max_queue_s=5.0, pixels_per_s=100.0, clock=Clock())
    with admission.admit(100, 50, 4) as lease:
        assert admission.wait_s == 4.0
        for _ in range(48):
            lease.finish_page()
        assert admission.wait_s == 2.0


def test_the_room_of_a_caller_who_leaves_is_free_again() -> None:
    """Whatever ends the reading."""
    admission = Admission(max_queue_s=5.0, pixels_per_s=100.0, clock=Clock())
    with pytest.raises(KeyError), admission.admit(900, 1, 4):
        raise KeyError
    assert admission.wait_s == 0.0


def run_under_load(admission: Admission, clock: Clock, pixels_per_s: float, pages: int) -> None:
    """Finish pages of 100 pixels at this rate, with as many waiting as are let in."""
    with admission.admit(100, pages, pages) as lease:
        for _ in range(pages):
            clock.now_s += 100 / pixels_per_s
            lease.finish_page()


@pytest.mark.parametrize("true_rate", [20.0, 500.0])
def test_the_rate_is_learned_under_load(true_rate: float) -> None:
    """A machine slower or faster than assumed is known after some seconds of work."""
    clock = Clock()
    admission = Admission(max_queue_s=5.0, pixels_per_s=100.0, clock=clock)
    run_under_load(admission, clock, true_rate, 400)
    assert admission.pixels_per_s == pytest.approx(true_rate, rel=0.1)


def test_an_idle_service_does_not_take_itself_for_a_slow_one() -> None:
    """One caller at a time gets little done, and proves nothing about many."""
    clock = Clock()
    admission = Admission(max_queue_s=5.0, pixels_per_s=1000.0, clock=clock)
    for _ in range(100):
        run_under_load(admission, clock, 200.0, 1)
        clock.now_s += 10
    assert admission.pixels_per_s == 1000.0


@given(
    st.lists(
        st.tuples(st.integers(0, 10**7), st.integers(1, 30), st.integers(1, 8), st.integers(0, 40)),
        max_size=20,
    )
)
def test_no_room_is_lost(documents: list[tuple[int, int, int, int]]) -> None:
    """Whatever documents come, however many of their pages are read, the queue is empty in the end."""
    clock = Clock()
    admission = Admission(max_queue_s=5.0, pixels_per_s=1e6, clock=clock)
    for page_px, pages, in_flight, read in documents:
        with admission.admit(page_px, pages, in_flight) as lease:
            for _ in range(read):
                clock.now_s += 0.1
                lease.finish_page()
        assert admission.wait_s == 0.0
        assert admission.pixels_per_s > 0.0

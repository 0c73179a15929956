"""Admission: whether one more document may queue, by what waits before it and how fast that has been going.

The cost of a document is the pixels that the detector will see of the pages that are on their way at a time.
A document that would wait longer than the limit is refused before anything is computed, with the time after
which there will be room. Every process that takes documents judges by its own share of the work: it has so
much of it out, and gets so much of it back a second.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from deployments.errors import Busy

# The rate is learned from stretches of at least so much work time, each changing it by this share.
_STRETCH_S = 2.0
_LEARNING_RATE = 0.3
# With less than this waiting, the service is not at its limit, and a low rate says nothing about it.
_BACKLOG_S = 1.0
_LONGEST_PROMISE_S = 60.0


class Lease:
    """The room that one document takes."""

    def __init__(self, admission: "Admission", page_px: int, pages: int, pages_in_flight: int) -> None:
        self._admission = admission
        self._page_px = page_px
        self._pages_left = pages
        self._pages_in_flight = pages_in_flight

    @property
    def waiting_px(self) -> int:
        """Pixels of the pages that stand in queues or are being read."""
        return min(self._pages_left, self._pages_in_flight) * self._page_px

    def finish_page(self) -> None:
        """Count one more page as read."""
        before_px = self.waiting_px
        self._pages_left = max(0, self._pages_left - 1)
        self._admission.learn(done_px=self._page_px, freed_px=before_px - self.waiting_px)


class Admission:
    """Refuses what would wait for longer than ``max_queue_s`` seconds. Belongs to one event loop.

    ``pixels_per_s`` is the rate that is assumed until there is one to learn from; ``note_refusal`` is called
    for each document that is refused.
    """

    def __init__(
        self,
        max_queue_s: float,
        pixels_per_s: float,
        clock: Callable[[], float] = time.monotonic,
        note_refusal: Callable[[], None] = lambda: None,
    ) -> None:
        self._note_refusal = note_refusal
        self._max_queue_s = max_queue_s
        self._clock = clock
        self._waiting_px = 0
        self.pixels_per_s = pixels_per_s
        self._last_event_s = clock()
        self._stretch_px, self._stretch_s = 0, 0.0
        self._has_backlog = False
        # What a document takes as a rule, and the moment that the last refused caller was told.
        self._usual_px = 0.0
        self._promised_s = clock()

    @property
    def wait_s(self) -> float:
        """How long a document that comes now will wait, as far as one can tell."""
        return self._waiting_px / self.pixels_per_s

    def check_room(self) -> None:
        """Raise `Busy` when no document would be admitted now."""
        if self.wait_s > self._max_queue_s:
            self._note_refusal()
            raise Busy("The service has no room for more requests now.", self._promise_time())

    @contextmanager
    def admit(self, page_px: int, pages: int, pages_in_flight: int) -> Iterator[Lease]:
        """Room for a document of so many pages. Raises `Busy`."""
        self.check_room()
        lease = Lease(self, max(1, page_px), pages, pages_in_flight)
        self._note_time()
        self._waiting_px += lease.waiting_px
        self._usual_px += _LEARNING_RATE * (lease.waiting_px - self._usual_px)
        try:
            yield lease
        finally:
            self._note_time()
            self._waiting_px -= lease.waiting_px

    def _promise_time(self) -> int:
        """Seconds until there should be room for one more, a later moment for each who asks."""
        now_s = self._clock()
        shrunk_s = now_s + self.wait_s - self._max_queue_s
        after_the_last_s = self._promised_s + self._usual_px / self.pixels_per_s
        # Who does not listen must not send those who do away for ever.
        self._promised_s = min(max(shrunk_s, after_the_last_s), now_s + _LONGEST_PROMISE_S)
        return max(1, math.ceil(self._promised_s - now_s))

    def learn(self, done_px: int, freed_px: int) -> None:
        """Take a finished page into account."""
        self._note_time()
        self._waiting_px -= freed_px
        self._stretch_px += done_px
        if self._stretch_s < _STRETCH_S:
            return
        measured = self._stretch_px / self._stretch_s
        # A service with nothing to do is slow by the watch only: the rate falls under load alone.
        if measured > self.pixels_per_s or self._has_backlog:
            self.pixels_per_s += _LEARNING_RATE * (measured - self.pixels_per_s)
        self._stretch_px, self._stretch_s = 0, 0.0
        self._has_backlog = self.wait_s > _BACKLOG_S

    def _note_time(self) -> None:
        """Count the time since the last event, if there was something to do."""
        now_s = self._clock()
        if self._waiting_px > 0:
            self._stretch_s += now_s - self._last_event_s
        else:
            self._has_backlog = False
        self._last_event_s = now_s

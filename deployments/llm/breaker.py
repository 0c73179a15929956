"""A circuit breaker: an endpoint that keeps failing is left alone for a while, and then tried once."""

import time
from collections.abc import Callable


class CircuitBreaker:
    """Opens after ``failures`` failures in a row, for ``pause_s`` seconds. Belongs to one event loop."""

    def __init__(self, failures: int, pause_s: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._max_failures = failures
        self._pause_s = pause_s
        self._clock_s = clock_s
        self._failures = 0
        self._closed_from_s = 0.0

    def allows(self) -> bool:
        """Whether the endpoint may be asked now; after a pause one caller may, until that one reports."""
        if self._failures < self._max_failures:
            return True
        if self._clock_s() < self._closed_from_s:
            return False
        self._closed_from_s = self._clock_s() + self._pause_s
        return True

    def report(self, is_well: bool) -> None:
        """Say how a call ended."""
        self._failures = 0 if is_well else self._failures + 1
        if self._failures >= self._max_failures:
            self._closed_from_s = self._clock_s() + self._pause_s

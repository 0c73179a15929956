"""A library that takes over signal handlers gives them back."""

import ctypes
import os
import signal
import threading
from types import FrameType

from deployments.engines.signals import keep_signal_handlers

IGNORE = ctypes.c_void_p(1)


def ignore_sigterm_below_python() -> None:
    """As a native library does it: Python's own table of handlers is not told."""
    with keep_signal_handlers():
        ctypes.CDLL(None).signal(int(signal.SIGTERM), IGNORE)


def test_a_handler_replaced_on_another_thread_handles_signals_again() -> None:
    """Models load on a worker's thread, where Python's own `signal.signal` is not allowed."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    before = signal.signal(signal.SIGTERM, note)
    try:
        thread = threading.Thread(target=ignore_sigterm_below_python)
        thread.start()
        thread.join()
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert received == [signal.SIGTERM]

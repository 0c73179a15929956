"""Keeps a process's signal handlers across an import that replaces them.

Importing Paddle installs handlers for crashes and for SIGTERM below Python's own table of handlers: from then
on a replica that is asked to stop prints a crash report and dies, instead of finishing its requests.
"""

import ctypes
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# What glog's failure handler, which Paddle installs at import, takes over.
_REPLACED_SIGNALS = (
    signal.SIGTERM,
    signal.SIGSEGV,
    signal.SIGILL,
    signal.SIGFPE,
    signal.SIGABRT,
    signal.SIGBUS,
)
# `struct sigaction` is opaque here: more room than any libc's needs (glibc's has 152 bytes).
_SIGACTION_BYTES = 512
_guard = threading.Lock()


@contextmanager
def keep_signal_handlers() -> Iterator[None]:
    """Put the handlers that the body replaces back when it ends.

    Works on any thread, which `signal.signal` does not: it talks to the C library. Bodies run one after the
    other, or one would save what another is about to undo. Source: sigaction(2).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with _guard:
        saved = {number: ctypes.create_string_buffer(_SIGACTION_BYTES) for number in _REPLACED_SIGNALS}
        for number, action in saved.items():
            libc.sigaction(int(number), None, action)
        try:
            yield
        finally:
            for number, action in saved.items():
                libc.sigaction(int(number), action, None)

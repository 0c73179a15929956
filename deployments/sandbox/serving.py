"""What a process of a sandbox does: bound itself, then run one task after the other while it is asked."""

import contextlib
import ctypes
import os
import resource
import signal
import socket
import sys
import traceback

from deployments.errors import ServiceError
from deployments.sandbox.answers import Answer, Done, Failed, FileNeeded, OutOfMemory, Refused
from deployments.sandbox.channel import ChannelClosed, receive, send
from deployments.sandbox.tasks import FileTasks, NeedsFile

_MAX_OPEN_FILES = 64
# From sys/prctl.h of Linux.
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


def serve_tasks(channel: socket.socket, memory_bytes: int) -> None:
    """Answer each request, a tuple of a method of `FileTasks` and its arguments, with an `Answer`."""
    bind_process(memory_bytes)
    tasks = FileTasks()
    with contextlib.suppress(ChannelClosed, OSError):
        while True:
            request = receive(channel)
            assert isinstance(request, tuple)
            send(channel, _run(tasks, *request))


def _run(tasks: FileTasks, name: str, *arguments: object) -> Answer:
    try:
        return Done(getattr(tasks, name)(*arguments))
    except NeedsFile:
        return FileNeeded()
    except ServiceError as error:
        return Refused(error)
    except MemoryError:
        return OutOfMemory()
    except Exception as error:
        # Only the frames: the exception's own text may quote the document.
        return Failed(type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))


def bind_process(memory_bytes: int) -> None:
    """Limit what this process may take, and let it end with its parent.

    The memory is what it may write to and shares with nobody (`RLIMIT_DATA`). It leaves no core file, which
    would hold a caller's document, and gains no privileges.
    """
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MAX_OPEN_FILES, _MAX_OPEN_FILES))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        with contextlib.suppress(OSError):
            # When the machine runs out of memory, this is what the system shall end first.
            _prefer_as_victim()


def _prefer_as_victim() -> None:
    with open(f"/proc/{os.getpid()}/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")

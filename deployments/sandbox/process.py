"""The replica's side of a sandbox: a zygote, and processes that it forks and that may end at any time."""

import os
import signal
import socket
import subprocess
import sys
import threading

from deployments.sandbox.answers import Answer
from deployments.sandbox.channel import ChannelClosed, receive, send
from deployments.sandbox.zygote import END, FORK, NUMBER

_START_TIMEOUT_S = 60.0
# What a process needs to find its libraries; keys and credentials of the service are not among it.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "LANG", "LC_ALL", "TMPDIR")
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class ProcessDied(Exception):
    """The process ended in the middle of a task; ``reason`` says how."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TaskTimedOut(Exception):
    """The task took longer than it may, and its process was ended."""


class Zygote:
    """Forks processes in milliseconds; started anew when it is gone. May be used from several threads."""

    def __init__(self, memory_mib: int) -> None:
        self._memory_mib = memory_mib
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def fork(self) -> "SandboxProcess":
        """A new process. Raises `ProcessDied` when none can be made."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                pid = self._ask(FORK, theirs)
            except (OSError, ChannelClosed):
                # Once more, with a new zygote: whatever ended the last one did not concern this process.
                self.close()
                try:
                    pid = self._ask(FORK, theirs)
                except (OSError, ChannelClosed) as error:
                    ours.close()
                    self.close()
                    raise ProcessDied("it could not be started") from error
        return SandboxProcess(self, pid, ours)

    def end(self, pid: int) -> str:
        """End a process; how it had ended, or was ended."""
        try:
            status = self._ask(END + NUMBER.pack(pid))
        except (OSError, ChannelClosed):
            self.close()
            return "it ended with all others"
        if os.WIFSIGNALED(status):
            return f"it got {signal.Signals(os.WTERMSIG(status)).name}"
        return f"it ended with status {os.waitstatus_to_exitcode(status)}"

    def close(self) -> None:
        """End the zygote and all of its processes."""
        with self._lock:
            if self._control is not None:
                self._control.close()
            if self._process is not None:
                self._process.kill()
                self._process.wait()
            self._control = self._process = None

    def _ask(self, command: bytes, passed: socket.socket | None = None) -> int:
        with self._lock:
            control = self._control or self._start()
            if passed is None:
                control.sendall(command)
            else:
                socket.send_fds(control, [command], [passed.fileno()])
            answer = control.recv(NUMBER.size, socket.MSG_WAITALL)
            if len(answer) < NUMBER.size:
                raise ChannelClosed
            number: int = NUMBER.unpack(answer)[0]
            return number

    def _start(self) -> socket.socket:
        control, theirs = socket.socketpair()
        control.settimeout(_START_TIMEOUT_S)
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment |= {"PYTHONPATH": os.pathsep.join(sys.path), **dict.fromkeys(_ONE_THREAD, "1")}
        module = "deployments.sandbox.zygote"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno()), str(self._memory_mib)],
                env=environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                # Ctrl-C on a terminal is the service's to handle.
                start_new_session=True,
            )
        self._control = control
        return control


class SandboxProcess:
    """One process; used from one thread at a time."""

    def __init__(self, zygote: Zygote, pid: int, channel: socket.socket) -> None:
        self.pid = pid
        self._zygote = zygote
        self._channel = channel

    def call(self, request: tuple[object, ...], timeout_s: float) -> Answer:
        """The answer to a request. Raises `ProcessDied` or `TaskTimedOut`; the process is gone then."""
        self._channel.settimeout(timeout_s)
        try:
            send(self._channel, request)
            answer = receive(self._channel)
        except TimeoutError as error:
            self.end()
            raise TaskTimedOut from error
        except (ChannelClosed, OSError) as error:
            raise ProcessDied(self.end()) from error
        if not isinstance(answer, Answer):
            self.end()
            raise ProcessDied("it gave no sensible answer")
        return answer

    def end(self) -> str:
        """End the process, whatever it does; how it ended."""
        self._channel.close()
        return self._zygote.end(self.pid)

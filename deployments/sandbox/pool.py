"""A few processes in which strangers' files are decoded: one that dies is replaced in milliseconds."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from deployments.errors import StageFailed
from deployments.input_errors import TooManyPixels
from deployments.sandbox.answers import Answer, Done, Failed, FileNeeded, OutOfMemory, Refused
from deployments.sandbox.process import ProcessDied, SandboxProcess, TaskTimedOut, Zygote

logger = logging.getLogger(__name__)

_ATTEMPTS = 2
# Files of which it is known which process has them open.
_MAX_PLACES = 256


class _Place:
    """A process, the thread that waits for it, and how many tasks wait for the thread."""

    def __init__(self, number: int) -> None:
        self.executor = ThreadPoolExecutor(1, f"sandbox-{number}")
        self.process: SandboxProcess | None = None
        self.waiting = 0


class Sandbox:
    """Runs the methods of `deployments.sandbox.tasks.FileTasks` in ``processes`` processes.

    Each may have ``memory_mib`` of memory and take ``timeout_s`` seconds for a task. Tasks on the same file
    go to the same process, those on new files to the one with the least to do. Use it from one event loop.
    """

    def __init__(self, processes: int, memory_mib: int, timeout_s: float) -> None:
        self._zygote = Zygote(memory_mib)
        self._timeout_s = timeout_s
        self._places = [_Place(number) for number in range(processes)]
        self._place_of: OrderedDict[str, _Place] = OrderedDict()

    def start(self) -> None:
        """Start the processes, which takes a second or so; else the first tasks do."""
        for place in self._places:
            place.process = self._zygote.fork()

    async def run(self, key: str, data: NDArray[np.uint8], name: str, *arguments: object) -> Any:
        """A task's result. Tried twice, because an earlier file may have damaged the process.

        Raises `ServiceError` as the task does, `ProcessDied` and `TaskTimedOut`.
        """

        def attempt(place: _Place) -> Any:
            for _ in range(_ATTEMPTS - 1):
                try:
                    return self._call(place, key, data, name, arguments)
                except ProcessDied as error:
                    logger.warning("a process died of %s: %s", name, error.reason)
            return self._call(place, key, data, name, arguments)

        return await self._wait_for(key, attempt)

    async def run_step(self, key: str, name: str, *arguments: object) -> Any:
        """A task that goes on with what earlier ones of the same key left in the process; tried once.

        Raises as `run`, and `ProcessDied` when it is another process than that of the earlier tasks.
        """
        return await self._wait_for(key, lambda place: self._call(place, key, None, name, arguments))

    def read_private_bytes(self) -> int:
        """Resident memory of this process and of those of the sandbox, without what they share with files."""
        own = psutil.Process()
        total = 0
        for process in (own, *own.children(recursive=True)):
            try:
                memory = process.memory_info()
            except psutil.Error:
                continue
            total += memory.rss - getattr(memory, "shared", 0)
        return total

    def close(self) -> None:
        """End all processes."""
        self._zygote.close()
        for place in self._places:
            place.executor.shutdown(wait=False, cancel_futures=True)

    async def _wait_for(self, key: str, task: Callable[[_Place], Any]) -> Any:
        place = self._find_place(key)
        place.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(place.executor, task, place)
        finally:
            place.waiting -= 1

    def _find_place(self, key: str) -> _Place:
        place = self._place_of.pop(key, None) or min(self._places, key=lambda place: place.waiting)
        self._place_of[key] = place
        if len(self._place_of) > _MAX_PLACES:
            self._place_of.popitem(last=False)
        return place

    def _call(
        self,
        place: _Place,
        key: str,
        data: NDArray[np.uint8] | None,
        name: str,
        arguments: tuple[object, ...],
    ) -> Any:
        answer = self._ask(place, (name, key, None, *arguments))
        if isinstance(answer, FileNeeded):
            if data is None:
                raise ProcessDied("it is another one")
            answer = self._ask(place, (name, key, data, *arguments))
        return _take_result(answer, name)

    def _ask(self, place: _Place, request: tuple[object, ...]) -> Answer:
        if place.process is None:
            place.process = self._zygote.fork()
        process, place.process = place.process, None
        answer = process.call(request, self._timeout_s)
        place.process = process
        return answer


def _take_result(answer: Answer, name: str) -> Any:
    match answer:
        case Done(result):
            return result
        case Refused(error):
            raise error
        case OutOfMemory():
            raise TooManyPixels("The document takes more memory to decode than the service gives to one.")
        case Failed(kind, frames):
            logger.error("%s failed with %s\n%s", name, kind, frames)
    raise StageFailed


__all__ = ["ProcessDied", "Sandbox", "TaskTimedOut"]

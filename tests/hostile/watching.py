"""The memory of a service's replicas while it is under attack, and the processes that open files for them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

_MIB = 1024 * 1024
_REPLICA_TITLE = "ray::ServeReplica:"
_ZYGOTE = "deployments.sandbox.zygote"
_EVERY_S = 0.2


class MemoryWatch:
    """The most private memory of each deployment's replicas, in MiB, and which processes they were.

    A replica counts with its processes, as its own watermark does; ``decoder`` is the largest single one of
    these.
    """

    def __init__(self, root: psutil.Process) -> None:
        self._root = root
        self._stop = threading.Event()
        self.peak_mib: dict[str, float] = {}
        self.pids: dict[str, set[int]] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look five times a second inside the block."""
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def look(self) -> None:
        """Look once."""
        for process in self._root.children(recursive=True):
            try:
                title = " ".join(process.cmdline())
                if title.startswith(_REPLICA_TITLE):
                    self._note_replica(title.split(":")[-1].split(".")[0].strip(), process)
            except psutil.Error:
                continue

    def _note_replica(self, deployment: str, replica: psutil.Process) -> None:
        self.pids.setdefault(deployment, set()).add(replica.pid)
        total = _private_mib(replica)
        for child in replica.children(recursive=True):
            try:
                size = _private_mib(child)
            except psutil.Error:
                continue
            total += size
            if _ZYGOTE in " ".join(child.cmdline()):
                self._raise("decoder", size)
        self._raise(deployment, total)

    def _raise(self, name: str, size_mib: float) -> None:
        self.peak_mib[name] = max(self.peak_mib.get(name, 0.0), size_mib)

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self.look()


def _private_mib(process: psutil.Process) -> float:
    memory = process.memory_info()
    return float(memory.rss - memory.shared) / _MIB

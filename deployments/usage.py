"""What a replica has done so far, for metrics, benchmarks and tests that must know what was not computed."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Usage:
    """Counters of one replica, each written by one thread only.

    ``items`` were answered and ``dropped`` were not looked at, because nobody waited for them any more;
    ``batches`` and ``runs`` are those of the queue and of the network. ``network_cpu_s`` is the processor
    time that the model spent inside networks, ``worker_cpu_s`` all that it spent; see `choose_clock`.
    """

    items: int = 0
    dropped: int = 0
    batches: int = 0
    runs: int = 0
    network_cpu_s: float = 0.0
    worker_cpu_s: float = 0.0


def choose_clock(threads: int) -> Callable[[], float]:
    """The clock of processor seconds for an engine of so many threads.

    A single one is the thread that asks. Several are not told apart from the rest of their process, which
    does little besides. What a GPU does is in neither.
    """
    return time.thread_time if threads == 1 else time.process_time

"""What a replica has done so far, for metrics, benchmarks and tests that must know what was not computed."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Usage:
    """Counters of one replica, each written by one thread only.

    ``items`` were answered and ``dropped`` were not looked at, because nobody waited for them any more;
    ``batches`` and ``runs`` are those of the queue and of the network, ``cost`` is what the requests of the
    batches cost in the stage's own unit. ``network_cpu_s`` is the processor time that the model spent inside
    networks, ``worker_cpu_s`` all that it spent; see `choose_clock`.

    Seconds by the wall: ``queue_s`` that requests waited for the model, ``company_s`` that the model waited
    for a batch to fill, ``pre_s``, ``network_s`` and ``post_s`` of the batches (what lies between two runs of
    a batch counts as post). ``content_px`` and ``padding_px`` are what the recogniser's network was given of
    crops and of nothing.
    """

    items: int = 0
    dropped: int = 0
    batches: int = 0
    runs: int = 0
    network_cpu_s: float = 0.0
    worker_cpu_s: float = 0.0
    cost: int = 0
    queue_s: float = 0.0
    company_s: float = 0.0
    pre_s: float = 0.0
    network_s: float = 0.0
    post_s: float = 0.0
    content_px: int = 0
    padding_px: int = 0
    # When the batch under way first entered a network, by `time.perf_counter`; 0 when it has not.
    first_run_s: float = 0.0
    # When a run of a network last ended, by `time.monotonic`.
    progress_s: float = 0.0


@dataclass(frozen=True)
class BatchRecord:
    """What became of one batch: its requests, and seconds from its start to its answers."""

    items: int
    elapsed_s: float


def choose_clock(threads: int) -> Callable[[], float]:
    """The clock of processor seconds for an engine of so many threads.

    A single one is the thread that asks. Several are not told apart from the rest of their process, which
    does little besides. What a GPU does is in neither.
    """
    return time.thread_time if threads == 1 else time.process_time

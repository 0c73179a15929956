"""What a replica has done so far, for metrics, benchmarks and tests that must know what was not computed."""

from dataclasses import dataclass


@dataclass
class Usage:
    """Counters of one replica, each written by one thread only.

    ``items`` were answered and ``dropped`` were not looked at, because nobody waited for them any more;
    ``batches`` and ``runs`` are those of the queue and of the network. ``network_cpu_s`` is the processor
    time that the model's thread spent inside networks, ``worker_cpu_s`` all that it spent. With engines of
    several threads, or on a GPU, the first counts only what the calling thread did.
    """

    items: int = 0
    dropped: int = 0
    batches: int = 0
    runs: int = 0
    network_cpu_s: float = 0.0
    worker_cpu_s: float = 0.0

"""Replicas that retire themselves before they take more memory than their machine can spare.

A replica over its watermark only fails its health check. The rest is done by Serve 2.60
(`deployment_state.py`): after three failures in a row it sends the replica no more calls, lets those on
their way finish, bounded by `graceful_shutdown_timeout_s`, and starts a successor, for which callers wait
when there is no other replica. A peak that is over before the third check costs nothing.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from configs.settings import MemoryLimits

logger = logging.getLogger(__name__)

_MIB = 1024 * 1024
# Replicas of one deployment grow alike: apart by this share, they do not all retire at once.
_STAGGER = 0.05
_STAGGERED_RANKS = 4


class MemoryExceeded(RuntimeError):
    """The replica holds more memory than it may."""


@dataclass(frozen=True)
class _Watermark:
    kind: str
    max_mib: float
    read_bytes: Callable[[], int]

    def read_mib(self) -> float:
        return self.read_bytes() / _MIB


class Recycler:
    """Watches the memory of the process that it is made in.

    ``rank`` is the replica's place among those of its deployment, from 0. Make it when the model is loaded: a
    watermark that is passed already would restart the replica for ever, so it is reported and left out.
    """

    def __init__(
        self,
        stage: str,
        limits: MemoryLimits,
        rank: int,
        read_gpu_bytes: Callable[[], int] | None = None,
        read_private_bytes: Callable[[], int] | None = None,
    ) -> None:
        self._stage = stage
        self._reported = False
        stagger = 1.0 + _STAGGER * (rank % _STAGGERED_RANKS)
        watched = (
            ("private", limits.max_private_mib, read_private_bytes or read_own_private_bytes),
            ("GPU", limits.max_gpu_mib, read_gpu_bytes),
        )
        watermarks = [
            _Watermark(kind, max_mib * stagger, read_bytes)
            for kind, max_mib, read_bytes in watched
            if max_mib is not None and read_bytes is not None
        ]
        self._watermarks = [watermark for watermark in watermarks if self._leaves_room(watermark)]

    def check(self) -> None:
        """Raise `MemoryExceeded` while the replica is over a watermark."""
        for watermark in self._watermarks:
            held_mib = watermark.read_mib()
            if held_mib <= watermark.max_mib:
                continue
            figures = f"{held_mib:.0f} MiB of {watermark.kind} memory, more than {watermark.max_mib:.0f}"
            if not self._reported:
                self._reported = True
                logger.warning("%s holds %s: this replica is to be replaced", self._stage, figures)
            raise MemoryExceeded(f"{self._stage} holds {figures}")
        self._reported = False

    def _leaves_room(self, watermark: _Watermark) -> bool:
        held_mib = watermark.read_mib()
        if held_mib <= watermark.max_mib:
            return True
        logger.error(
            "%s starts with %.0f MiB of %s memory; its watermark of %.0f is ignored: set a higher one",
            self._stage,
            held_mib,
            watermark.kind,
            watermark.max_mib,
        )
        return False


def read_own_private_bytes() -> int:
    """Resident memory of this process without what it shares: libraries, and pages of Ray's object store."""
    memory = psutil.Process().memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))

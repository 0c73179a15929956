"""What every replica of a model has: a thread, a queue, metrics and health. The deployments add their names.

A model that is stuck cannot be interrupted from inside its process. It is noticed by the runs of its network,
which no longer end: then those who wait are told at once, and the replica's health check fails, so that Serve
starts another.
"""

from collections.abc import Callable, Hashable
from dataclasses import asdict, replace
from typing import Any, Generic, TypeVar

import cv2
import numpy as np
from ray import serve

from configs.settings import BatchKnobs, ModelStage
from deployments.allocator import KEPT_BY_NETWORKS_BYTES, return_large_blocks
from deployments.batching import BatchCompute, BatchQueue
from deployments.call_context import CallContext
from deployments.document import Image, Lane, StageInfo
from deployments.errors import StageUnavailable
from deployments.metrics import StageMetrics
from deployments.models.loader import Loaded
from deployments.recycling import Recycler
from deployments.replica_logs import observe_call, start_observing
from deployments.worker import StuckWorker, Worker

RequestT = TypeVar("RequestT")
AnswerT = TypeVar("AnswerT")

_RETRY_AFTER_S = 10
# The smallest page that anything can be asked about: uint8, (32, 32, 3), BGR.
BLANK_IMAGE: Image = np.full((32, 32, 3), 255, np.uint8)
# A model that answered so recently needs no probe.
_PROBE_EVERY_S = 10.0


class StageReplica(Generic[RequestT, AnswerT]):
    """A loaded model behind a queue.

    ``choose`` picks the model's method that answers batches, and ``probe`` is the smallest request that runs
    the network; ``cost_of`` and ``kind_of`` are those of `BatchQueue`. Raises `ModelError` when the model
    cannot be loaded.
    """

    def __init__(
        self,
        name: str,
        stage: ModelStage,
        load: Callable[[Any], Loaded[Any]],
        choose: Callable[[Any], BatchCompute[RequestT, AnswerT]],
        probe: RequestT,
        *,
        cost_of: Callable[[RequestT], int] = lambda _: 1,
        kind_of: Callable[[Any], Callable[[RequestT], Hashable]] = lambda _: lambda _: None,
        kept_bytes: int = KEPT_BY_NETWORKS_BYTES,
    ) -> None:
        context = serve.get_replica_context()
        start_observing(context.deployment, context.replica_id.unique_id)
        cv2.setNumThreads(stage.run.threads)
        return_large_blocks(kept_bytes)
        self.loaded = loaded = load(stage)
        self._name = name
        self._stage = stage
        self._probe = probe
        self._worker = Worker(name, stage.stall_after_s, loaded.usage, stage.run.threads)
        self._metrics = StageMetrics(name, loaded.usage, loaded.read_gpu_bytes)
        self._queue = BatchQueue[RequestT, AnswerT](
            choose(loaded.model),
            self._worker,
            loaded.usage,
            cost_of,
            kind_of(loaded.model),
            self._metrics.note_batch,
            name,
        )
        self._recycler = Recycler(name, stage.memory, context.rank.rank, loaded.read_gpu_bytes)
        self.knobs = stage.knobs
        self.reconfigure({})

    async def submit(self, request: RequestT, lane: Lane, call: CallContext | None = None) -> AnswerT:
        """The model's answer. Raises `StageUnavailable` at once while the model is stuck."""
        with observe_call(self._name, "submit", call):
            self._refuse_when_stuck()
            return await self._queue.submit(request, lane)

    async def probe(self) -> None:
        """Return when the model has answered lately, or answers the smallest request now."""
        self._refuse_when_stuck()
        if self._worker.idle_s() > _PROBE_EVERY_S:
            await self._queue.submit(self._probe)

    def describe(self) -> StageInfo:
        """The model that runs here, the knobs in force, and what this replica has done."""
        usage = asdict(self.loaded.usage)
        return replace(self.loaded.info, knobs=self.knobs.model_dump(), usage=usage)

    def reconfigure(self, user_config: dict[str, object]) -> BatchKnobs:
        """Take new batch knobs, with no restart. Raises `pydantic.ValidationError`."""
        self.knobs = self._stage.knobs.changed_by(user_config)
        self._queue.change_knobs(self.knobs)
        return self.knobs

    def check_health(self) -> None:
        """Raise when the model is stuck or too large, so that Serve replaces the replica."""
        self._metrics.show_memory()
        try:
            self._worker.check()
        except StuckWorker:
            self._queue.refuse_all(_stuck())
            raise
        self._recycler.check()

    def _refuse_when_stuck(self) -> None:
        try:
            self._worker.check()
        except StuckWorker:
            raise _stuck() from None


def _stuck() -> StageUnavailable:
    return StageUnavailable("A part of the service is being replaced.", _RETRY_AFTER_S)

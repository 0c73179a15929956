"""Deployment of the formula reader."""

from dataclasses import asdict, replace

import cv2
from ray import serve

from configs.settings import FormulaStage
from deployments.allocator import KEPT_BY_NETWORKS_BYTES, return_large_blocks
from deployments.batching import BatchQueue
from deployments.document import Image, StageInfo
from deployments.metrics import StageMetrics
from deployments.models.loader import load_formula
from deployments.recycling import Recycler
from deployments.worker import Worker


@serve.deployment
class Formula:
    """Reads formulas. Adds to `FormulaModel`: a replica, its queue and its health."""

    def __init__(self, stage: FormulaStage) -> None:
        cv2.setNumThreads(stage.run.threads)
        return_large_blocks(KEPT_BY_NETWORKS_BYTES)
        self._loaded = loaded = load_formula(stage)
        self._worker = Worker("formula", usage=loaded.usage, threads=stage.run.threads)
        self._queue = BatchQueue[Image, str](loaded.model.read_each, self._worker, loaded.usage)
        self._metrics = StageMetrics("formula")
        rank = serve.get_replica_context().rank.rank
        self._recycler = Recycler("formula", stage.memory, rank, loaded.read_gpu_bytes)

    async def read(self, pixels: Image) -> str:
        """LaTeX, without delimiters, of one formula that was cut out of its page (uint8, (h, w, 3), BGR)."""
        try:
            return await self._queue.submit(pixels)
        finally:
            self._metrics.publish(self._loaded.usage)

    async def describe(self) -> StageInfo:
        """The model that runs here, and what this replica has done."""
        return replace(self._loaded.info, usage=asdict(self._loaded.usage))

    def check_health(self) -> None:
        """Raise when the model is stuck or too large, so that Serve replaces the replica."""
        self._worker.check()
        self._recycler.check()

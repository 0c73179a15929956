"""Deployment of the document orientation classifier."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import cv2
from ray import serve

from configs.settings import OrientationStage
from deployments.allocator import KEPT_BY_NETWORKS_BYTES, return_large_blocks
from deployments.batching import BatchQueue
from deployments.document import Angle, Image, StageInfo
from deployments.metrics import StageMetrics
from deployments.models.loader import load_orientation
from deployments.recycling import Recycler
from deployments.worker import Worker


@serve.deployment
class Orientation:
    """Says how far pages must be turned. Adds to `OrientationModel`: a replica, its queue and its health."""

    def __init__(self, stage: OrientationStage) -> None:
        cv2.setNumThreads(stage.run.threads)
        return_large_blocks(KEPT_BY_NETWORKS_BYTES)
        self._loaded = loaded = load_orientation(stage)
        self._worker = Worker("orientation", usage=loaded.usage, threads=stage.run.threads)
        self._queue = BatchQueue[tuple[Image, ...], Angle](
            loaded.model.classify_each, self._worker, loaded.usage
        )
        self._metrics = StageMetrics("orientation")
        rank = serve.get_replica_context().rank.rank
        self._recycler = Recycler("orientation", stage.memory, rank, loaded.read_gpu_bytes)

    async def classify(self, views: Sequence[Image]) -> Angle:
        """Degrees clockwise that turn a page upright, from views of it (uint8, (h, w, 3), BGR)."""
        try:
            return await self._queue.submit(tuple(views))
        finally:
            self._metrics.publish(self._loaded.usage)

    async def describe(self) -> StageInfo:
        """The model that runs here, and what this replica has done."""
        return replace(self._loaded.info, usage=asdict(self._loaded.usage))

    def check_health(self) -> None:
        """Raise when the model is stuck or too large, so that Serve replaces the replica."""
        self._worker.check()
        self._recycler.check()

"""Deployment of the document orientation classifier."""

from collections.abc import Sequence

import cv2
from ray import serve

from configs.settings import OrientationStage
from deployments.allocator import return_large_blocks
from deployments.document import Angle, Image, StageInfo
from deployments.models.loader import load_orientation
from deployments.recycling import Recycler
from deployments.worker import Worker


@serve.deployment
class Orientation:
    """Says how far pages must be turned. Adds to `OrientationModel`: a replica and its health."""

    def __init__(self, stage: OrientationStage) -> None:
        cv2.setNumThreads(stage.run.threads)
        return_large_blocks()
        self._loaded = load_orientation(stage)
        self._worker = Worker("orientation")
        rank = serve.get_replica_context().rank.rank
        self._recycler = Recycler("orientation", stage.memory, rank, self._loaded.read_gpu_bytes)

    async def classify(self, views: Sequence[Image]) -> Angle:
        """Degrees clockwise that turn a page upright, from views of it (uint8, (h, w, 3), BGR)."""
        return await self._worker.run(self._loaded.model.classify, views)

    async def describe(self) -> StageInfo:
        """The model that runs here."""
        return self._loaded.info

    def check_health(self) -> None:
        """Raise when the model is stuck or too large, so that Serve replaces the replica."""
        self._worker.check()
        self._recycler.check()

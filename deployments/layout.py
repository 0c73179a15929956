"""Deployment of the page layout network."""

from dataclasses import asdict, replace

import cv2
from ray import serve

from configs.settings import LayoutStage
from deployments.allocator import KEPT_BY_NETWORKS_BYTES, return_large_blocks
from deployments.batching import BatchQueue
from deployments.blocks import Region
from deployments.document import Image, StageInfo
from deployments.metrics import StageMetrics
from deployments.models.loader import load_layout
from deployments.recycling import Recycler
from deployments.worker import Worker


@serve.deployment
class Layout:
    """Finds the regions of pages. Adds to `LayoutModel`: a replica, its queue and its health."""

    def __init__(self, stage: LayoutStage) -> None:
        cv2.setNumThreads(stage.run.threads)
        return_large_blocks(KEPT_BY_NETWORKS_BYTES)
        self._loaded = loaded = load_layout(stage)
        self._worker = Worker("layout", usage=loaded.usage, threads=stage.run.threads)
        self._queue = BatchQueue[Image, tuple[Region, ...]](
            loaded.model.find_each, self._worker, loaded.usage
        )
        self._metrics = StageMetrics("layout")
        rank = serve.get_replica_context().rank.rank
        self._recycler = Recycler("layout", stage.memory, rank, loaded.read_gpu_bytes)

    async def find_regions(self, pixels: Image) -> tuple[Region, ...]:
        """The regions of one upright page (uint8, (h, w, 3), BGR), the surest first."""
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

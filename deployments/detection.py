"""Deployment of the text detector."""

import asyncio
from dataclasses import asdict, replace

import cv2
from ray import serve

from configs.settings import DetectionStage
from deployments.allocator import KEPT_BY_DETECTOR_BYTES, return_large_blocks
from deployments.batching import BatchQueue
from deployments.document import DetectedLines, DetectionOptions, Image, StageInfo
from deployments.engines.paddle_check import PaddleCheck, check_paddle
from deployments.metrics import StageMetrics
from deployments.models.detection import DetectionRequest
from deployments.models.loader import load_detection
from deployments.recycling import Recycler
from deployments.worker import Worker


@serve.deployment
class Detection:
    """Finds the lines of pages.

    Adds to `DetectionModel`: a replica, batches of pages of one resized shape, health, live knobs.
    """

    def __init__(self, stage: DetectionStage) -> None:
        cv2.setNumThreads(stage.run.threads)
        return_large_blocks(KEPT_BY_DETECTOR_BYTES)
        self._stage = stage
        self._loaded = loaded = load_detection(stage)
        self._worker = Worker("detection", usage=loaded.usage, threads=stage.run.threads)
        self._queue = BatchQueue[DetectionRequest, DetectedLines](
            loaded.model.detect_each, self._worker, loaded.usage, kind_of=loaded.model.choose_size
        )
        self._metrics = StageMetrics("detection")
        rank = serve.get_replica_context().rank.rank
        self._recycler = Recycler("detection", stage.memory, rank, loaded.read_gpu_bytes)
        self.reconfigure({})

    async def detect(self, pixels: Image, options: DetectionOptions) -> DetectedLines:
        """Quads of one page (uint8, (h, w, 3), BGR), in page pixels."""
        try:
            return await self._queue.submit(DetectionRequest(pixels, options))
        finally:
            self._metrics.publish(self._loaded.usage)

    async def describe(self) -> StageInfo:
        """The model that runs here, the knobs in force, and what this replica has done."""
        usage = asdict(self._loaded.usage)
        return replace(self._loaded.info, knobs=self._knobs.model_dump(), usage=usage)

    async def check_paddle(self) -> PaddleCheck:
        """Paddle's own check of itself on this replica's device."""
        return await asyncio.to_thread(check_paddle)

    def reconfigure(self, user_config: dict[str, object]) -> None:
        """Take new batch knobs, with no restart."""
        self._knobs = self._stage.knobs.changed_by(user_config)
        self._queue.change_knobs(self._knobs)
        self._loaded.model.set_max_pages_per_run(self._knobs.max_items_per_run)

    def check_health(self) -> None:
        """Raise when the model is stuck or too large, so that Serve replaces the replica."""
        self._worker.check()
        self._recycler.check()

"""Deployment of the text detector."""

import asyncio
from dataclasses import replace
from typing import Any

import cv2
from ray import serve

from configs.settings import DetectionStage
from deployments.allocator import return_large_blocks
from deployments.document import DetectedLines, DetectionOptions, Image, StageInfo
from deployments.engines.paddle_check import PaddleCheck, check_paddle
from deployments.models.detection import DetectionRequest
from deployments.models.loader import load_detection
from deployments.recycling import Recycler
from deployments.worker import Worker


@serve.deployment
class Detection:
    """Finds the lines of pages.

    Adds to `DetectionModel`: a replica, batches over requests, health, live knobs.
    """

    def __init__(self, stage: DetectionStage) -> None:
        cv2.setNumThreads(stage.run.threads)
        return_large_blocks()
        self._stage = stage
        self._loaded = load_detection(stage)
        self._worker = Worker("detection")
        rank = serve.get_replica_context().rank.rank
        self._recycler = Recycler("detection", stage.memory, rank, self._loaded.read_gpu_bytes)
        self.reconfigure({})

    async def detect(self, pixels: Image, options: DetectionOptions) -> DetectedLines:
        """Quads of one page (uint8, (h, w, 3), BGR), in page pixels."""
        result = await self._detect_batch(DetectionRequest(pixels, options))
        if isinstance(result, Exception):
            raise result
        return result

    @serve.batch(max_batch_size=1, batch_wait_timeout_s=0.0)
    async def _detect_batch(self, requests: list[DetectionRequest]) -> list[DetectedLines | Exception]:
        return await self._worker.run(self._loaded.model.detect_each, requests)

    async def describe(self) -> StageInfo:
        """The model that runs here, and the knobs in force."""
        return replace(self._loaded.info, knobs=self._knobs.model_dump())

    async def check_paddle(self) -> PaddleCheck:
        """Paddle's own check of itself on this replica's device."""
        return await asyncio.to_thread(check_paddle)

    def reconfigure(self, user_config: dict[str, object]) -> None:
        """Take new batch knobs, with no restart."""
        knobs = self._knobs = self._stage.knobs.changed_by(user_config)
        # `serve.batch` hangs its setters on the method, where no type checker sees them.
        queue: Any = self._detect_batch
        queue.set_max_batch_size(knobs.max_batch_size)
        queue.set_batch_wait_timeout_s(knobs.batch_wait_timeout_s)
        self._loaded.model.set_max_pages_per_run(knobs.max_items_per_run)

    def check_health(self) -> None:
        """Raise when the model is stuck or too large, so that Serve replaces the replica."""
        self._worker.check()
        self._recycler.check()

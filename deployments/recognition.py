"""Deployment of a text recogniser."""

from dataclasses import replace
from typing import Any

import cv2
from ray import serve

from configs.settings import RecognitionStage
from deployments.allocator import return_large_blocks
from deployments.document import LineText, StageInfo
from deployments.models.loader import load_recognition
from deployments.models.recognition import RecognitionRequest, cost_of_requests
from deployments.recycling import Recycler
from deployments.worker import Worker


@serve.deployment
class Recognition:
    """Reads line crops.

    Adds to `RecognitionModel`: a replica, one queue for all requests, health, live knobs.
    """

    def __init__(self, stage: RecognitionStage) -> None:
        cv2.setNumThreads(stage.run.threads)
        return_large_blocks()
        self._stage = stage
        self._loaded = load_recognition(stage)
        self._worker = Worker("recognition")
        rank = serve.get_replica_context().rank.rank
        self._recycler = Recycler("recognition", stage.memory, rank, self._loaded.read_gpu_bytes)
        self.reconfigure({})

    async def read(self, request: RecognitionRequest) -> list[LineText]:
        """Texts of one page's crops, in their order."""
        result = await self._read_batch(request)
        if isinstance(result, Exception):
            raise result
        return result

    @serve.batch(max_batch_size=1, batch_wait_timeout_s=0.0, batch_size_fn=cost_of_requests)
    async def _read_batch(self, requests: list[RecognitionRequest]) -> list[list[LineText] | Exception]:
        return await self._worker.run(self._loaded.model.read_each, requests)

    async def describe(self) -> StageInfo:
        """The model that runs here, and the knobs in force."""
        return replace(self._loaded.info, knobs=self._knobs.model_dump())

    def reconfigure(self, user_config: dict[str, object]) -> None:
        """Take new batch knobs, with no restart."""
        knobs = self._knobs = self._stage.knobs.changed_by(user_config)
        # `serve.batch` hangs its setters on the method, where no type checker sees them.
        queue: Any = self._read_batch
        queue.set_max_batch_size(knobs.max_batch_size)
        queue.set_batch_wait_timeout_s(knobs.batch_wait_timeout_s)
        self._loaded.model.set_max_crops_per_run(knobs.max_items_per_run)

    def check_health(self) -> None:
        """Raise when the model is stuck or too large, so that Serve replaces the replica."""
        self._worker.check()
        self._recycler.check()

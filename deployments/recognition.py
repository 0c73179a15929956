"""Deployment of a text recogniser."""

from dataclasses import asdict, replace

import cv2
from ray import serve

from configs.settings import RecognitionStage
from deployments.allocator import KEPT_BY_NETWORKS_BYTES, return_large_blocks
from deployments.batching import BatchQueue
from deployments.document import LineText, StageInfo
from deployments.metrics import StageMetrics
from deployments.models.loader import load_recognition
from deployments.models.recognition import RecognitionRequest, cost_of_request
from deployments.recycling import Recycler
from deployments.worker import Worker


@serve.deployment
class Recognition:
    """Reads line crops.

    Adds to `RecognitionModel`: a replica, one queue for the crops of all requests, health, live knobs.
    """

    def __init__(self, stage: RecognitionStage) -> None:
        cv2.setNumThreads(stage.run.threads)
        return_large_blocks(KEPT_BY_NETWORKS_BYTES)
        self._stage = stage
        self._loaded = loaded = load_recognition(stage)
        self._worker = Worker("recognition", usage=loaded.usage, threads=stage.run.threads)
        self._queue = BatchQueue[RecognitionRequest, list[LineText]](
            loaded.model.read_each, self._worker, loaded.usage, cost_of=cost_of_request
        )
        self._metrics = StageMetrics("recognition")
        rank = serve.get_replica_context().rank.rank
        self._recycler = Recycler("recognition", stage.memory, rank, loaded.read_gpu_bytes)
        self.reconfigure({})

    async def read(self, request: RecognitionRequest) -> list[LineText]:
        """Texts of one page's crops, in their order."""
        try:
            return await self._queue.submit(request)
        finally:
            self._metrics.publish(self._loaded.usage)

    async def describe(self) -> StageInfo:
        """The model that runs here, the knobs in force, and what this replica has done."""
        usage = asdict(self._loaded.usage)
        return replace(self._loaded.info, knobs=self._knobs.model_dump(), usage=usage)

    def reconfigure(self, user_config: dict[str, object]) -> None:
        """Take new batch knobs, with no restart."""
        self._knobs = self._stage.knobs.changed_by(user_config)
        self._queue.change_knobs(self._knobs)
        self._loaded.model.set_max_crops_per_run(self._knobs.max_items_per_run)

    def check_health(self) -> None:
        """Raise when the model is stuck or too large, so that Serve replaces the replica."""
        self._worker.check()
        self._recycler.check()

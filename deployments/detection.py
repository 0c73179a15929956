"""Deployment of the text detector."""

import asyncio

from ray import serve

from configs.settings import DetectionStage
from deployments.allocator import KEPT_BY_DETECTOR_BYTES
from deployments.call_context import CallContext
from deployments.document import DetectedLines, DetectionOptions, Image, Lane, StageInfo
from deployments.engines.paddle_check import PaddleCheck, check_paddle
from deployments.models.detection import DetectionRequest
from deployments.models.loader import load_detection
from deployments.stage_replica import BLANK_IMAGE, StageReplica


@serve.deployment
class Detection:
    """Finds the lines of pages.

    Adds to `DetectionModel`: a replica, batches of pages of one resized shape, health, live knobs.
    """

    def __init__(self, stage: DetectionStage) -> None:
        self._replica = StageReplica[DetectionRequest, DetectedLines](
            "detection",
            stage,
            load_detection,
            lambda model: model.detect_each,
            DetectionRequest(BLANK_IMAGE),
            kind_of=lambda model: model.choose_size,
            kept_bytes=KEPT_BY_DETECTOR_BYTES,
        )
        self.reconfigure({})

    async def detect(
        self,
        pixels: Image,
        options: DetectionOptions,
        lane: Lane = "interactive",
        call: CallContext | None = None,
    ) -> DetectedLines:
        """Quads of one page (uint8, (h, w, 3), BGR), in page pixels."""
        return await self._replica.submit(DetectionRequest(pixels, options), lane, call)

    async def probe(self) -> None:
        """Return when the model answers."""
        await self._replica.probe()

    async def describe(self) -> StageInfo:
        """The model that runs here, and what this replica has done."""
        return self._replica.describe()

    async def check_paddle(self) -> PaddleCheck:
        """Paddle's own check of itself on this replica's device."""
        return await asyncio.to_thread(check_paddle)

    def reconfigure(self, user_config: dict[str, object]) -> None:
        """Take new batch knobs, with no restart."""
        knobs = self._replica.reconfigure(user_config)
        self._replica.loaded.model.set_max_pages_per_run(knobs.max_items_per_run)

    async def check_health(self) -> None:
        """Raise when the model is stuck or too large, so that Serve replaces the replica."""
        self._replica.check_health()

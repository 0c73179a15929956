"""Deployment of the network that makes photographed pages flat."""

from ray import serve

from configs.settings import UnwarpingStage
from deployments.call_context import CallContext
from deployments.document import Image, Lane, StageInfo
from deployments.models.loader import load_unwarping
from deployments.stage_replica import BLANK_IMAGE, StageReplica


@serve.deployment
class Unwarping:
    """Makes pages flat. Adds to `UnwarpingModel`: a replica, its queue and its health."""

    def __init__(self, stage: UnwarpingStage) -> None:
        self._replica = StageReplica[Image, Image](
            "unwarping",
            stage,
            load_unwarping,
            lambda model: model.unwarp_each,
            BLANK_IMAGE,
        )

    async def unwarp(
        self, pixels: Image, lane: Lane = "interactive", call: CallContext | None = None
    ) -> Image:
        """One upright page (uint8, (h, w, 3), BGR) made flat, in as many pixels."""
        return await self._replica.submit(pixels, lane, call)

    async def probe(self) -> None:
        """Return when the model answers."""
        await self._replica.probe()

    async def describe(self) -> StageInfo:
        """The model that runs here, and what this replica has done."""
        return self._replica.describe()

    async def check_health(self) -> None:
        """Raise when the model is stuck or too large, so that Serve replaces the replica."""
        self._replica.check_health()

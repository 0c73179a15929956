"""Deployment of the page layout network."""

from ray import serve

from configs.settings import LayoutStage
from deployments.blocks import Region
from deployments.call_context import CallContext
from deployments.document import Image, Lane, StageInfo
from deployments.models.loader import load_layout
from deployments.stage_replica import BLANK_IMAGE, StageReplica


@serve.deployment
class Layout:
    """Finds the regions of pages. Adds to `LayoutModel`: a replica, its queue and its health."""

    def __init__(self, stage: LayoutStage) -> None:
        self._replica = StageReplica[Image, tuple[Region, ...]](
            "layout",
            stage,
            load_layout,
            lambda model: model.find_each,
            BLANK_IMAGE,
        )

    async def find_regions(
        self, pixels: Image, lane: Lane = "interactive", call: CallContext | None = None
    ) -> tuple[Region, ...]:
        """The regions of one upright page (uint8, (h, w, 3), BGR), the surest first."""
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

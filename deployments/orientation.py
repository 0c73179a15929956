"""Deployment of the document orientation classifier."""

from collections.abc import Sequence

from ray import serve

from configs.settings import OrientationStage
from deployments.call_context import CallContext
from deployments.document import Angle, Image, Lane, StageInfo
from deployments.models.loader import load_orientation
from deployments.stage_replica import BLANK_IMAGE, StageReplica


@serve.deployment
class Orientation:
    """Says how far pages must be turned. Adds to `OrientationModel`: a replica, its queue and its health."""

    def __init__(self, stage: OrientationStage) -> None:
        self._replica = StageReplica[tuple[Image, ...], Angle](
            "orientation",
            stage,
            load_orientation,
            lambda model: model.classify_each,
            (BLANK_IMAGE,),
        )

    async def classify(
        self, views: Sequence[Image], lane: Lane = "interactive", call: CallContext | None = None
    ) -> Angle:
        """Degrees clockwise that turn a page upright, from views of it (uint8, (h, w, 3), BGR)."""
        return await self._replica.submit(tuple(views), lane, call)

    async def probe(self) -> None:
        """Return when the model answers."""
        await self._replica.probe()

    async def describe(self) -> StageInfo:
        """The model that runs here, and what this replica has done."""
        return self._replica.describe()

    async def check_health(self) -> None:
        """Raise when the model is stuck or too large, so that Serve replaces the replica."""
        self._replica.check_health()

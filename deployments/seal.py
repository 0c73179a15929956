"""Deployment of the detector of text in seals."""

from ray import serve

from configs.settings import SealStage
from deployments.call_context import CallContext
from deployments.document import Image, Lane, LineCrop, StageInfo
from deployments.models.loader import load_seal
from deployments.stage_replica import BLANK_IMAGE, StageReplica


@serve.deployment
class Seal:
    """Finds the text of seals. Adds to `SealModel`: a replica, its queue and its health."""

    def __init__(self, stage: SealStage) -> None:
        self._replica = StageReplica[Image, tuple[LineCrop, ...]](
            "seal",
            stage,
            load_seal,
            lambda model: model.find_each,
            BLANK_IMAGE,
        )

    async def find_lines(
        self, pixels: Image, lane: Lane = "interactive", call: CallContext | None = None
    ) -> tuple[LineCrop, ...]:
        """The lines of one seal that was cut out of its page (uint8, (h, w, 3), BGR), rings laid flat."""
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

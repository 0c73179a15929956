"""Deployment of the formula reader."""

from ray import serve

from configs.settings import FormulaStage
from deployments.call_context import CallContext
from deployments.document import Image, Lane, StageInfo
from deployments.models.loader import load_formula
from deployments.stage_replica import BLANK_IMAGE, StageReplica


@serve.deployment
class Formula:
    """Reads formulas. Adds to `FormulaModel`: a replica, its queue and its health."""

    def __init__(self, stage: FormulaStage) -> None:
        self._replica = StageReplica[Image, str](
            "formula",
            stage,
            load_formula,
            lambda model: model.read_each,
            BLANK_IMAGE,
        )

    async def read(self, pixels: Image, lane: Lane = "interactive", call: CallContext | None = None) -> str:
        """LaTeX, without delimiters, of one formula that was cut out of its page (uint8, (h, w, 3), BGR)."""
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

"""Deployment of the table structure network."""

from ray import serve

from configs.settings import TableStage
from deployments.blocks import TableGrid
from deployments.call_context import CallContext
from deployments.document import Image, Lane, StageInfo
from deployments.models.loader import load_table
from deployments.stage_replica import BLANK_IMAGE, StageReplica


@serve.deployment
class Table:
    """Finds the cells of tables. Adds to `TableModel`: a replica, its queue and its health."""

    def __init__(self, stage: TableStage) -> None:
        self._replica = StageReplica[Image, TableGrid](
            "table",
            stage,
            load_table,
            lambda model: model.read_each,
            BLANK_IMAGE,
        )

    async def read_grid(
        self, pixels: Image, lane: Lane = "interactive", call: CallContext | None = None
    ) -> TableGrid:
        """The cells of one table, cut out of its page (uint8, (h, w, 3), BGR)."""
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

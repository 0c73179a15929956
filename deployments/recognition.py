"""Deployment of a text recogniser."""

from ray import serve

from configs.settings import RecognitionStage
from deployments.call_context import CallContext
from deployments.document import Lane, LineText, StageInfo
from deployments.models.loader import load_recognition
from deployments.models.recognition import RecognitionRequest, cost_of_request
from deployments.stage_replica import BLANK_IMAGE, StageReplica


@serve.deployment
class Recognition:
    """Reads line crops.

    Adds to `RecognitionModel`: a replica, one queue for the crops of all requests, health, live knobs.
    """

    def __init__(self, stage: RecognitionStage) -> None:
        self._replica = StageReplica[RecognitionRequest, list[LineText]](
            "recognition",
            stage,
            load_recognition,
            lambda model: model.read_each,
            RecognitionRequest((BLANK_IMAGE,), (False,)),
            cost_of=cost_of_request,
        )
        self.reconfigure({})

    async def read(
        self, request: RecognitionRequest, lane: Lane = "interactive", call: CallContext | None = None
    ) -> list[LineText]:
        """Texts of one page's crops, in their order."""
        return await self._replica.submit(request, lane, call)

    async def probe(self) -> None:
        """Return when the model answers."""
        await self._replica.probe()

    async def describe(self) -> StageInfo:
        """The model that runs here, and what this replica has done."""
        return self._replica.describe()

    def reconfigure(self, user_config: dict[str, object]) -> None:
        """Take new batch knobs, with no restart."""
        knobs = self._replica.reconfigure(user_config)
        self._replica.loaded.model.set_max_crops_per_run(knobs.max_items_per_run)

    async def check_health(self) -> None:
        """Raise when the model is stuck or too large, so that Serve replaces the replica."""
        self._replica.check_health()

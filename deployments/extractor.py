"""Deployment that finds the fields of documents that were read."""

from collections.abc import Sequence
from pathlib import Path

from ray import serve

from configs.rulebook import RuleBook
from configs.settings import ExtractionStage
from deployments.allocator import return_large_blocks
from deployments.call_context import CallContext
from deployments.document import Page
from deployments.extraction.fields import ExtractedFields
from deployments.extraction.wanted import ExtractionRequest
from deployments.extraction_flow import Extractors, check_request, extract
from deployments.metrics import make_recorder, show_memory
from deployments.recycling import Recycler
from deployments.replica_logs import observe_call, start_observing


@serve.deployment
class Extraction:
    """Adds to `deployments.extraction_flow`: a replica, rules, a language model by environment, health."""

    def __init__(self, stage: ExtractionStage) -> None:
        return_large_blocks()
        context = serve.get_replica_context()
        start_observing(context.deployment, context.replica_id.unique_id)
        rules = RuleBook.load(Path(stage.rules_dir) if stage.rules_dir else None)
        self._recorder = make_recorder()
        self._extractors = Extractors.from_environment(rules, self._recorder)
        self._recycler = Recycler("extraction", stage.memory, context.rank.rank)

    async def check(self, request: ExtractionRequest) -> None:
        """Raise what `extract` would raise whatever the document is, before anybody reads it."""
        check_request(request, self._extractors.rules, self._extractors.llm is not None)

    async def extract(
        self,
        pages: Sequence[Page],
        request: ExtractionRequest,
        deadline_s: float,
        call: CallContext | None = None,
    ) -> ExtractedFields:
        """The fields of pages; see `deployments.extraction_flow.extract`."""
        with observe_call("extraction", "extract", call):
            return await extract(pages, request, self._extractors, deadline_s)

    async def check_health(self) -> None:
        """Raise when the replica is too large, so that Serve replaces it."""
        show_memory(self._recorder, "extraction")
        self._recycler.check()

"""Reads documents with the deployments of the graph: what the HTTP API and the Python handle both call."""

import asyncio
import dataclasses

from configs.settings import Limits
from deployments.document import Document, ReadOptions, StageInfo
from deployments.errors import Busy, NotReady, StageFailed
from deployments.flow import FlowLimits, read_document
from deployments.handles import Handle, RemoteStages, call_stage

_DESCRIBE_TIMEOUT_S = 2.0
_STARTING_RETRY_AFTER_S = 5


class GraphReader:
    """A `serve_app.api.reader.DocumentReader` over handles."""

    def __init__(
        self,
        stages: RemoteStages,
        described: dict[str, Handle],
        languages: tuple[str, ...],
        limits: Limits,
    ) -> None:
        self._stages = stages
        self._described = described
        self._languages = languages
        self._limits = FlowLimits(limits.max_pages, limits.pages_in_flight)
        self._models: tuple[StageInfo, ...] = ()

    async def read(self, data: bytes, options: ReadOptions) -> Document:
        """Every page of a document; see `deployments.flow.read_document`."""
        models = self._models or await self.describe()
        return await read_document(data, self._stages.as_stages(), options, self._limits, models)

    async def describe(self) -> tuple[StageInfo, ...]:
        """The model of every stage. Raises `NotReady` until each of them answers."""
        try:
            async with asyncio.timeout(_DESCRIBE_TIMEOUT_S):
                self._models = tuple(
                    await asyncio.gather(
                        *(call_stage(handle, "describe") for handle in self._described.values())
                    )
                )
        except (TimeoutError, Busy, StageFailed) as error:
            raise NotReady("The service is starting.", _STARTING_RETRY_AFTER_S) from error
        return self._models

    async def check_paddle(self) -> dict[str, object]:
        """Paddle's own check, run by the detector's replica on the detector's device."""
        check = await call_stage(self._described["detection"], "check_paddle")
        return dataclasses.asdict(check)

    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that the running recognisers read."""
        return self._languages

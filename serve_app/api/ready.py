"""`GET /livez` and `GET /readyz`: whether this process answers, and whether every stage does."""

import asyncio
import time
from collections.abc import Callable, Mapping

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from serve_app.api.reader import ON_DEMAND, DocumentReader

# Probes come from many places; the stages need not answer each of them.
CACHE_S = 2.0
_RETRY_AFTER_S = 5


class Readiness(BaseModel):
    """Whether every stage has answered a real inference lately; ``stages`` says of each `ok` or why not.

    One that ends when nobody needs it, and starts with the next request, is `on demand`; it is not asked.
    """

    ready: bool
    stages: dict[str, str]


class ReadinessProbe:
    """Asks the stages, at most every two seconds however many ask here."""

    def __init__(self, reader: DocumentReader, read_clock_s: Callable[[], float] = time.monotonic) -> None:
        self._reader = reader
        self._read_clock_s = read_clock_s
        self._stages: Mapping[str, str] = {}
        self._fresh_until_s = float("-inf")
        self._lock = asyncio.Lock()

    async def check(self) -> Readiness:
        """What the stages say, or said a moment ago."""
        async with self._lock:
            if self._read_clock_s() >= self._fresh_until_s:
                self._stages = await self._reader.probe()
                self._fresh_until_s = self._read_clock_s() + CACHE_S
        ready = all(state in ("ok", ON_DEMAND) for state in self._stages.values())
        return Readiness(ready=ready, stages=dict(self._stages))


def make_ready_router(probe: ReadinessProbe) -> APIRouter:
    """Make the routes for orchestrators; they need no key and read no document."""
    router = APIRouter(tags=["service"])

    @router.get("/livez", summary="Whether this process answers")
    async def check_alive() -> dict[str, str]:
        return {"status": "alive"}

    @router.get(
        "/readyz",
        summary="Whether every stage has answered a real inference lately",
        response_model=Readiness,
        responses={503: {"model": Readiness, "description": "`stages` names those that do not answer."}},
    )
    async def check_ready() -> Response:
        readiness = await probe.check()
        status, headers = (200, {}) if readiness.ready else (503, {"Retry-After": str(_RETRY_AFTER_S)})
        return Response(readiness.model_dump_json(), status, headers=headers, media_type="application/json")

    return router

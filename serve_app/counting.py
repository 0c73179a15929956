"""The counters of a cluster: one small actor, made when the first caller with limits comes."""

import asyncio
import logging
from typing import Any

import ray
from ray.exceptions import ActorDiedError, RayError

from serve_app.access.caller import CallerLimits
from serve_app.access.counters import Counters, CountersUnavailable, Ticket, Verdict, Window

logger = logging.getLogger(__name__)

# The number goes up when what the actor is asked changes: one of an older release lives on beside it.
ACTOR_NAME = "ocr-counters-1"
NAMESPACE = "ocr-serve"
# The first question may have to start a process.
_START_TIMEOUT_S = 30.0
_CALL_TIMEOUT_S = 1.0


class RayCounters:
    """A `CounterStore` that asks the actor. It has a lifetime of its own: no replica's end resets a count."""

    def __init__(self, storage_uri: str) -> None:
        self._storage_uri = storage_uri
        self._actor: Any = None
        self._lock = asyncio.Lock()

    async def take(self, ticket: Ticket, lease_s: float) -> Verdict:
        """Count a request, or refuse it. Raises `CountersUnavailable`."""
        verdict: Verdict = await self._call("take", ticket, lease_s)
        return verdict

    def settle(self, ticket: Ticket, pages: int, pixels: int) -> None:
        """Give a place back and count what was read; nobody waits for that."""
        if self._actor is not None:
            self._actor.settle.remote(ticket, pages, pixels)

    async def look(self, caller_id: str, limits: CallerLimits) -> tuple[Window, ...]:
        """What is left, without counting. Raises `CountersUnavailable`."""
        windows: tuple[Window, ...] = await self._call("look", caller_id, limits)
        return windows

    async def _call(self, method: str, *arguments: object) -> Any:
        try:
            actor = self._actor or await self._find_actor()
            async with asyncio.timeout(_CALL_TIMEOUT_S):
                return await getattr(actor, method).remote(*arguments)
        except (RayError, TimeoutError, ValueError) as error:
            if isinstance(error, ActorDiedError):
                # For good: Ray restarts it no more, so the next question starts another one.
                self._actor = None
            # Not the text of the error: it may name the storage's address with its password.
            raise CountersUnavailable(f"the counters do not answer ({type(error).__name__})") from error

    async def _find_actor(self) -> Any:
        async with self._lock:
            if self._actor is None:
                async with asyncio.timeout(_START_TIMEOUT_S):
                    actor = await asyncio.to_thread(self._get_or_start)
                    # Answers when its process runs: from then on questions are quick.
                    await actor.look.remote("", CallerLimits())
                self._actor = actor
        return self._actor

    def _get_or_start(self) -> Any:
        # When its node dies, Ray starts it elsewhere, and counts begin anew.
        options = {"num_cpus": 0, "max_concurrency": 8, "max_restarts": -1, "lifetime": "detached"}
        actor: Any = ray.remote(Counters)
        return actor.options(name=ACTOR_NAME, namespace=NAMESPACE, get_if_exists=True, **options).remote(
            self._storage_uri
        )

"""Events of jobs told to webhooks: signed, at least once, again and again until one is taken or given up."""

import asyncio
import hashlib
import hmac
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import sqlalchemy as sa

from configs.jobs import JobsSettings
from deployments.errors import JobsUnavailable
from deployments.jobs.database import JobDatabase
from deployments.jobs.tables import events, jobs

logger = logging.getLogger(__name__)

Post = Callable[[str, bytes, Mapping[str, str], float], Awaitable[int]]

_MAX_DELAY_S = 3_600.0
_GONE = 410


class EventTeller:
    """Delivers events with ``post``, which answers with the status, 0 where there was no answer."""

    def __init__(self, database: JobDatabase, settings: JobsSettings, post: Post) -> None:
        self._database = database
        self._settings = settings
        self._post = post

    def list_waiting(self) -> list[str]:
        """Events that the engine does not know yet, the oldest first."""
        with self._database.read() as connection:
            query = sa.select(events.c.id).where(events.c.state == "waiting").order_by(events.c.created_s)
            return list(connection.execute(query.limit(100)).scalars())

    def note_dispatched(self, event_id: str) -> None:
        """The engine has taken over an event."""
        self._change(event_id, state="dispatched")

    async def tell(self, event_id: str, attempt: int) -> float | None:
        """Try to deliver an event; seconds to wait before the next try, None where there is none."""
        try:
            found = await asyncio.to_thread(self._find, event_id)
        except JobsUnavailable:
            return self._settings.webhook_first_delay_s
        if found is None:
            return None
        body = found.body.encode()
        headers = sign(body, found.webhook_secret, event_id, int(time.time()))
        status = await self._post(found.webhook_url, body, headers, self._settings.webhook_timeout_s)
        is_taken = 200 <= status < 300
        is_over = is_taken or status == _GONE or attempt >= self._settings.webhook_attempts
        if not is_taken:
            # Neither the address nor the answer: both are the receiver's own.
            logger.warning("event %s was not taken at try %d: status %d", event_id, attempt, status)
        state = "delivered" if is_taken else "failed" if is_over else "dispatched"
        try:
            await asyncio.to_thread(
                self._change, event_id, state=state, attempts=attempt, last_answer=str(status)
            )
        except JobsUnavailable:
            logger.warning("what became of event %s is not written down", event_id)
        return None if is_over else self._choose_delay(attempt)

    def _choose_delay(self, attempt: int) -> float:
        delay_s = min(_MAX_DELAY_S, self._settings.webhook_first_delay_s * 2.0 ** (attempt - 1))
        return delay_s * random.uniform(0.8, 1.2)  # nosec B311 - spreads tries, protects nothing

    def _find(self, event_id: str) -> Any:
        with self._database.read() as connection:
            return connection.execute(
                sa.select(events.c.body, jobs.c.webhook_url, jobs.c.webhook_secret)
                .join(jobs, jobs.c.id == events.c.job_id)
                .where(
                    events.c.id == event_id,
                    events.c.state.in_(("waiting", "dispatched")),
                    jobs.c.webhook_url.is_not(None),
                    jobs.c.is_deleted.is_(False),
                )
            ).first()

    def _change(self, event_id: str, **values: object) -> None:
        with self._database.write() as connection:
            connection.execute(sa.update(events).where(events.c.id == event_id).values(**values))


def sign(body: bytes, secret: str, event_id: str, timestamp: int) -> dict[str, str]:
    """The headers of a delivery: an HMAC-SHA256 over ``timestamp.body``, which a replay cannot change."""
    signature = hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-Webhook-Id": event_id,
        "X-Webhook-Timestamp": str(timestamp),
        "X-Webhook-Signature": f"v1={signature}",
    }

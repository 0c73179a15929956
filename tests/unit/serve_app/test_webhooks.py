"""Webhooks of jobs: a real receiver, over real HTTP, through the guard."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from aiohttp import web
from job_process import running_bench
from job_work import TextWork

from deployments.jobs.states import Webhook
from serve_app.webhooks import post_event, read_webhook_policy

from service import find_free_port

SECRET = "a-secret-of-the-receiver"


class Receiver:
    """Checks signatures, and refuses the first two tries of every event."""

    def __init__(self) -> None:
        self.port = find_free_port()
        self.tries: dict[str, list[str]] = {}

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook?token=secret"

    async def take(self, request: web.Request) -> web.Response:
        """Take an event at the third try."""
        body = await request.read()
        signed = request.headers["X-Webhook-Timestamp"].encode() + b"." + body
        expected = "v1=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.headers["X-Webhook-Signature"]):
            return web.Response(status=401)
        event = json.loads(body)
        tries = self.tries.setdefault(event["id"], [])
        tries.append(event["type"])
        return web.Response(status=200 if len(tries) >= 3 else 500)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", receiver.port).start()
    yield receiver
    await runner.cleanup()


class Caller(TextWork):
    """Work that tells events as the service does."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__()
        self._environment = environment

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> int:
        """Send through the guard."""
        return await post_event(url, body, headers, timeout_s, self._environment)


async def test_a_receiver_that_fails_twice_gets_every_event_at_the_third_try(
    receiver: Receiver, tmp_path: Path
) -> None:
    """Each is signed, and taken."""
    allowed = {"WEBHOOK_HOSTS": f"http://127.0.0.1:{receiver.port}@private"}
    environment = {"OCR_DATA_DIR": str(tmp_path), "JOBS_WEBHOOK_FIRST_DELAY_S": "0.05"}
    with running_bench(environment, Caller(allowed)) as bench:
        job_id = await bench.box.hand_in("1", webhook=Webhook(receiver.url, SECRET))
        await asyncio.to_thread(
            bench.box.wait_for, job_id, lambda job: sorted(map(len, receiver.tries.values())) == [3, 3]
        )
    assert {tries[0] for tries in receiver.tries.values()} == {"job.running", "job.done"}


async def test_nobody_is_called_whom_the_operator_does_not_allow(receiver: Receiver) -> None:
    """A loopback address is none of the internet; without a rule there is no address at all."""
    for rules in ("", "*", f"127.0.0.1:{receiver.port}"):
        assert await post_event(receiver.url, b"{}", {}, 5.0, {"WEBHOOK_HOSTS": rules}) == 0
    assert receiver.tries == {}


def test_a_rule_that_cannot_be_read_is_told_to_the_operator() -> None:
    """With the variable's name."""
    with pytest.raises(ValueError, match="WEBHOOK_HOSTS"):
        read_webhook_policy({"WEBHOOK_HOSTS": "http://*.example.com@private"})

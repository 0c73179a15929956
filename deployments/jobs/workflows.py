"""What is durable: a workflow for each file, whose steps are its pages, and one for each event to tell.

DBOS finds workflows by their names, in whichever process goes on with them, so they are functions of this
module; what they work with is the engine of their process.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from dbos import DBOS

from deployments.jobs.session import FileSession

FILES_QUEUE = "files"
EVENTS_QUEUE = "events"
# Goes up when the order of steps in a workflow changes: workflows of another version are left to it.
WORKFLOW_VERSION = "jobs-1"
# A document that takes its process with it is given up by the records, which count for each page.
_RECOVERIES = 1_000_000


class Engine(Protocol):
    """What workflows need of their process."""

    pages_in_flight: int

    def open_session(self, job_id: str, place: int) -> FileSession:
        """A file that this process reads from now on."""
        ...

    async def close_session(self, session: FileSession) -> None:
        """It does so no more."""
        ...

    async def tell(self, event_id: str, attempt: int) -> float | None:
        """Try to deliver an event; seconds to wait before the next try, None where none is needed."""
        ...


_engine: Engine | None = None


def set_engine(engine: Engine | None) -> None:
    """Say what the workflows of this process work with."""
    global _engine
    _engine = engine


def _current() -> Engine:
    if _engine is None:
        raise RuntimeError("no engine of jobs runs in this process")
    return _engine


def name_file_workflow(job_id: str, place: int) -> str:
    """The id of a file's workflow: whoever starts it twice starts it once."""
    return f"{job_id}:{place}"


@DBOS.workflow(name="read_file", max_recovery_attempts=_RECOVERIES)
async def read_file(job_id: str, place: int) -> str:
    """Read a file of a job to its end, whatever that is."""
    engine = _current()
    session = engine.open_session(job_id, place)
    try:
        numbers = await DBOS.run_step_async({"name": "open"}, session.open)
        if numbers is None:
            return "ended"
        await _read_pages(session, numbers, engine.pages_in_flight)
        return await DBOS.run_step_async({"name": "close"}, session.close, numbers)
    except Exception as error:
        await session.fail(error)
        return "failed"
    finally:
        await engine.close_session(session)


async def _read_pages(session: FileSession, numbers: list[int], at_once: int) -> None:
    """Read pages side by side. Steps are numbered in the order of the pages, whichever ends first."""
    under_way: set[asyncio.Task[str]] = set()
    try:
        for number in numbers:
            if len(under_way) >= at_once:
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            under_way.add(_start_step("page", session.read_page, number))
        for task in under_way:
            await task
    finally:
        for task in under_way:
            task.cancel()


def _start_step(
    name: str, step: Callable[[int], Coroutine[Any, Any, str]], number: int
) -> "asyncio.Task[str]":
    # Reserved here and not in the task, so that the numbers do not depend on who is scheduled first.
    reservation = DBOS.reserve_step()
    return asyncio.create_task(reservation.run_async({"name": name}, step, number))


@DBOS.workflow(name="tell_event", max_recovery_attempts=_RECOVERIES)
async def tell_event(event_id: str) -> int:
    """Deliver an event to its job's webhook, again and again until it is taken or given up; the attempts."""
    attempt = 0
    while True:
        attempt += 1
        delay_s = await DBOS.run_step_async({"name": "post"}, _current().tell, event_id, attempt)
        if delay_s is None:
            return attempt
        await DBOS.sleep_async(delay_s)


class JsonSerializer:
    """Writes what DBOS keeps as JSON: what is read back is data, and can never run."""

    def serialize(self, data: Any) -> str:
        """Write plain values; of an error no more than its name."""
        return json.dumps(data, default=_describe, separators=(",", ":"))

    def deserialize(self, serialized_data: str) -> Any:
        """Read what `serialize` wrote."""
        data = json.loads(serialized_data)
        if isinstance(data, dict) and set(data) == {"__error__"}:
            return RuntimeError(data["__error__"])
        return data

    def name(self) -> str:
        """How DBOS tells its values from those of other serializers."""
        return "ocr_serve_json"


def _describe(value: Any) -> Any:
    if isinstance(value, BaseException):
        return {"__error__": type(value).__name__}
    raise TypeError(f"{type(value).__name__} is not kept")

"""A running service as a reader of files: asked again when it has no room, and where a stream broke off."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from serve_app.file_reading.failures import FileFailed, ServerUnusable
from serve_app.file_reading.throttle import Throttle

_NDJSON = "application/x-ndjson"
# A page of pictures in base64 is one line.
_MAX_LINE_BYTES = 256 * 1024 * 1024
_CONNECT_TIMEOUT_S = 10.0
# Longer than the service lets anything take.
_READ_TIMEOUT_S = 900.0
_MOST_BACKOFF_S = 15.0
_FAILURES_IN_A_ROW = 3
_USELESS = (401, 403)


class _TryAgain(Exception):
    """The same request may go well later; ``failure`` is what to say if it does not."""

    def __init__(self, failure: FileFailed, after_s: float | None = None, *, counts: bool = True) -> None:
        super().__init__(failure.code)
        self.failure = failure
        self.after_s = after_s
        self.counts = counts


class _Patience:
    """How long one file has gone without anything new, and how often it has failed since."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self.renew()

    def renew(self) -> None:
        """Something came."""
        self.since_s = time.monotonic()
        self.failures = 0

    def is_over(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _TryAgain) and error.counts:
            self.failures += 1
        waited_s = time.monotonic() - self.since_s
        return self.failures >= _FAILURES_IN_A_ROW or waited_s >= self._patience_s

    def choose_wait_s(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _TryAgain) and error.after_s is not None:
            return error.after_s
        return min(_MOST_BACKOFF_S, 0.5 * 2 ** min(self.failures, 8))


@dataclass(frozen=True)
class ServerOptions:
    """Where a service answers, with which key, and how many requests it gets at once.

    After ``patience_s`` without anything new it is waited for no longer.
    """

    url: str
    api_key: str = ""
    concurrency: int = 8
    patience_s: float = 300.0


class Server:
    """One service. Belongs to one event loop; use it in an ``async with`` statement."""

    def __init__(self, options: ServerOptions) -> None:
        self._options = options
        self._url = options.url.rstrip("/")
        self.throttle = Throttle(options.concurrency)

    async def __aenter__(self) -> "Server":
        """Open the connections."""
        key = self._options.api_key
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_TIMEOUT_S, sock_read=_READ_TIMEOUT_S
        )
        self._session = aiohttp.ClientSession(
            headers={"x-api-key": key} if key else {},
            timeout=timeout,
            connector=aiohttp.TCPConnector(limit=0),
            read_bufsize=2**18,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the connections."""
        await self._session.close()

    async def wait_until_ready(self) -> None:
        """Return when documents can be read. Raises `ServerUnusable` when that takes too long."""
        start_s = time.monotonic()
        while not await self._answers(needs_ready=True):
            if time.monotonic() - start_s > self._options.patience_s:
                raise ServerUnusable(f"No service is ready at {self._url}.")
            await asyncio.sleep(0.5)

    async def ask(self, path: str, data: bytes, fields: Mapping[str, str | Sequence[str]]) -> bytes:
        """The whole answer to a document. Raises `FileFailed`, `ServerUnusable`."""

        async def ask_once() -> bytes:
            async with self._post(path, data, fields, {}) as response:
                return await response.read()

        return await self._persist(ask_once, _Patience(self._options.patience_s))

    async def stream(
        self, path: str, data: bytes, fields: Mapping[str, str | Sequence[str]], after: int = 0
    ) -> AsyncIterator[dict[str, Any]]:
        """The events of a document, each page once, those up to number ``after`` left out.

        `document` comes again when the stream was broken; `end` is the last. Raises as `ask`.
        """
        patience = _Patience(self._options.patience_s)
        events: asyncio.Queue[dict[str, Any] | Exception | None] = asyncio.Queue(1)
        last = after

        async def stream_once() -> None:
            nonlocal last
            headers = {"Accept": _NDJSON, **({"Last-Event-ID": str(last)} if last else {})}
            async with self._post(path, data, fields, headers) as response:
                async for event in _read_events(response):
                    if event["event"] == "error":
                        raise _judge_problem(event["data"], None)
                    if event["event"] == "page":
                        last = event["id"]
                        patience.renew()
                    await events.put(event)
                    if event["event"] == "end":
                        return
            raise aiohttp.ClientPayloadError("the stream has no end")

        async def run() -> None:
            failure: Exception | None = None
            try:
                await self._persist(stream_once, patience)
            except Exception as error:
                failure = error
            # Not when cancelled: nobody takes it then, and a full queue would keep this for ever.
            await events.put(failure)

        task = asyncio.create_task(run())
        try:
            while (event := await events.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _persist(self, attempt: Any, patience: _Patience) -> Any:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_TryAgain),
            stop=patience.is_over,
            wait=patience.choose_wait_s,
            reraise=True,
        )
        try:
            return await retrying(self._try_once, attempt)
        except _TryAgain as error:
            if error.failure.code == "server_unreachable":
                raise ServerUnusable(error.failure.message) from None
            raise error.failure from None

    async def _try_once(self, attempt: Any) -> Any:
        async with self.throttle.slot():
            try:
                answer = await attempt()
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                raise await self._judge_loss() from error
        self.throttle.note_success()
        return answer

    async def _judge_loss(self) -> _TryAgain:
        """What a broken connection means: this file's, or everybody's trouble."""
        if await self._answers(needs_ready=False):
            return _TryAgain(FileFailed("connection_lost", "The connection broke while the file was read."))
        return _TryAgain(FileFailed("server_unreachable", f"Nobody answers at {self._url}."), counts=False)

    async def _answers(self, *, needs_ready: bool) -> bool:
        try:
            limit = aiohttp.ClientTimeout(total=_CONNECT_TIMEOUT_S)
            async with self._session.get(f"{self._url}/health", timeout=limit) as response:
                return response.status == 200 or not needs_ready
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    def _post(
        self, path: str, data: bytes, fields: Mapping[str, str | Sequence[str]], headers: Mapping[str, str]
    ) -> "_Answer":
        form = aiohttp.FormData()
        for name, value in fields.items():
            for one in [value] if isinstance(value, str) else value:
                form.add_field(name, one)
        form.add_field("file", data, filename="document", content_type="application/octet-stream")
        request = self._session.post(self._url + path, data=form, headers=headers, allow_redirects=False)
        return _Answer(request, self.throttle)


class _Answer:
    """A request whose answer is good inside the block; others are raised as what they mean."""

    def __init__(self, request: Any, throttle: Throttle) -> None:
        self._request = request
        self._throttle = throttle

    async def __aenter__(self) -> aiohttp.ClientResponse:
        response: aiohttp.ClientResponse = await self._request.__aenter__()
        if response.status == 200:
            return response
        try:
            problem = await _read_problem(response)
            retry_after_s = _read_seconds(response.headers.get("Retry-After"))
            error = _judge_problem(problem, retry_after_s)
            if response.status in (429, 503):
                self._throttle.note_refusal(retry_after_s or 1.0)
            raise error
        finally:
            await self._request.__aexit__(None, None, None)

    async def __aexit__(self, *error: Any) -> None:
        await self._request.__aexit__(*error)


async def _read_events(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """JSON lines of any length."""
    kept = bytearray()
    async for chunk in response.content.iter_any():
        kept += chunk
        if len(kept) > _MAX_LINE_BYTES:
            raise FileFailed("answer_too_large", "The server sent a page that is too large.")
        *lines, rest = kept.split(b"\n")
        kept = bytearray(rest)
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError:
                raise aiohttp.ClientPayloadError("not a line of JSON") from None


async def _read_problem(response: aiohttp.ClientResponse) -> dict[str, Any]:
    try:
        problem = json.loads(await response.content.read(64 * 1024))
    except ValueError:
        problem = None
    if not isinstance(problem, dict) or "code" not in problem:
        # Not the service's own words: a proxy stands before it.
        return {
            "status": response.status,
            "code": f"http_{response.status}",
            "detail": "No reason was given.",
        }
    return {**problem, "status": response.status}


def _judge_problem(problem: Mapping[str, Any], retry_after_s: float | None) -> Exception:
    status, code = int(problem["status"]), str(problem["code"])
    message = str(problem.get("detail", ""))
    errors = problem.get("errors") or ()
    message += "".join(f" {one.get('field')}: {one.get('message')}." for one in errors)
    if status in _USELESS:
        return ServerUnusable(f"The server refuses the key: {message}")
    failure = FileFailed(code, message)
    if status in (429, 503):
        return _TryAgain(failure, retry_after_s if retry_after_s is not None else 1.0, counts=False)
    if status in (408, 425) or status >= 500:
        return _TryAgain(failure)
    return failure


def _read_seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None

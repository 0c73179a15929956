"""Asks an OpenAI-compatible endpoint for an answer in a JSON schema, within a time and a number of tries.

Neither the token nor anything of the document is in a log line or an error of this module.
"""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from configs.llm import LlmSettings
from deployments.llm.breaker import CircuitBreaker

logger = logging.getLogger(__name__)

_MAX_ANSWER_BYTES = 4 * 1024 * 1024
_MAX_BACKOFF_S = 10.0
_RETRIED = (408, 409, 425, 429, 500, 502, 503, 504)
# Endpoints that do not know JSON schemas answer so; they may still know plain JSON.
_REFUSES_SCHEMA = (400, 404, 415, 422, 501)


class LlmError(Exception):
    """The endpoint gave no answer; ``code`` is a stable word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _TryAgain(Exception):
    def __init__(self, code: str, after_s: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.after_s = after_s


@dataclass(frozen=True)
class LlmAnswer:
    """A JSON object, and the tokens that it cost as the endpoint counts them."""

    content: Mapping[str, Any]
    prompt_tokens: int = 0
    completion_tokens: int = 0


class LlmClient:
    """One endpoint with its breaker. Belongs to one event loop; `close` ends its connections."""

    def __init__(self, settings: LlmSettings) -> None:
        self._settings = settings
        self._breaker = CircuitBreaker(settings.breaker_failures, settings.breaker_pause_s)
        self._session: aiohttp.ClientSession | None = None
        self._knows_schemas = True

    async def ask(
        self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any] | None, deadline_s: float
    ) -> LlmAnswer:
        """The answer to these messages: in a JSON schema, or any object that they ask for.

        Raises `LlmError` at the latest when the deadline is over.
        """
        if not self._breaker.allows():
            raise LlmError("llm_unavailable")
        try:
            async with asyncio.timeout(min(deadline_s, self._settings.deadline_s)) as timer:
                answer = await self._ask_patiently(messages, schema, timer.when() or 0.0)
        except TimeoutError:
            self._fail("llm_timeout")
            raise LlmError("llm_timeout") from None
        except LlmError as error:
            self._fail(error.code)
            raise
        self._breaker.report(is_well=True)
        return answer

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()

    def _fail(self, code: str) -> None:
        # What the endpoint refuses or says wrong is no reason to leave it alone.
        self._breaker.report(is_well=code in ("llm_malformed", "llm_refused"))
        logger.warning("the language model gave no answer: %s", code)

    async def _ask_patiently(
        self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any] | None, ends_s: float
    ) -> LlmAnswer:
        def choose_wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked_s = error.after_s if isinstance(error, _TryAgain) else None
            backoff_s = min(_MAX_BACKOFF_S, 0.5 * 2 ** (state.attempt_number - 1))
            return backoff_s if asked_s is None else asked_s

        def is_over(state: RetryCallState) -> bool:
            too_late = asyncio.get_running_loop().time() + choose_wait(state) >= ends_s
            return state.attempt_number >= self._settings.attempts or too_late

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_TryAgain),
            # Who is told to come back after the deadline need not wait for it.
            stop=is_over,
            wait=choose_wait,
            reraise=True,
        )
        try:
            return await retrying(self._ask_once, messages, schema)
        except _TryAgain as error:
            raise LlmError(error.code) from None

    async def _ask_once(
        self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any] | None
    ) -> LlmAnswer:
        body = {
            "model": self._settings.model,
            "messages": list(messages),
            "temperature": 0,
            "seed": self._settings.seed,
            "max_tokens": self._settings.max_output_tokens,
            "response_format": self._describe_form(schema),
        }
        try:
            status, headers, text = await self._post(body)
        except TimeoutError:
            raise _TryAgain("llm_timeout") from None
        except (aiohttp.ClientError, OSError):
            raise _TryAgain("llm_unavailable") from None
        if status in _REFUSES_SCHEMA and self._knows_schemas and schema is not None:
            self._knows_schemas = False
            return await self._ask_once(messages, schema)
        if status in _RETRIED:
            code = "llm_busy" if status == 429 else "llm_unavailable"
            raise _TryAgain(code, _read_seconds(headers.get("Retry-After")))
        if status >= 300:
            raise LlmError("llm_refused")
        return _read_answer(text)

    def _describe_form(self, schema: Mapping[str, Any] | None) -> dict[str, Any]:
        if schema is None or not self._knows_schemas:
            return {"type": "json_object"}
        return {"type": "json_schema", "json_schema": {"name": "fields", "strict": True, "schema": schema}}

    async def _post(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        if self._session is None:
            # No proxy of the environment, no redirect: text of documents goes to this address or nowhere.
            self._session = aiohttp.ClientSession(trust_env=False)
        token = self._settings.api_token.get_secret_value()
        async with self._session.post(
            f"{str(self._settings.base_url).rstrip('/')}/chat/completions",
            json=body,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=aiohttp.ClientTimeout(total=self._settings.timeout_s),
            allow_redirects=False,
        ) as response:
            text = await response.content.read(_MAX_ANSWER_BYTES + 1)
            while len(text) <= _MAX_ANSWER_BYTES and (more := await response.content.read(_MAX_ANSWER_BYTES)):
                text += more
            if len(text) > _MAX_ANSWER_BYTES:
                raise LlmError("llm_malformed")
            return response.status, response.headers, text


def _read_seconds(text: str | None) -> float | None:
    """Seconds of a `Retry-After`; one that is a date is not worth its parser here."""
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None


def _read_answer(text: bytes) -> LlmAnswer:
    try:
        answer = json.loads(text)
        content = json.loads(_strip_fence(answer["choices"][0]["message"]["content"]))
        usage = answer.get("usage") or {}
        counts = [max(0, int(usage.get(name) or 0)) for name in ("prompt_tokens", "completion_tokens")]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise LlmError("llm_malformed") from None
    if not isinstance(content, dict):
        raise LlmError("llm_malformed")
    return LlmAnswer(content, *counts)


def _strip_fence(text: str) -> str:
    """The JSON inside a Markdown fence, which small models cannot leave out."""
    stripped = text.strip()
    if stripped.startswith("```"):
        stripped = stripped.strip("`").removeprefix("json").strip()
    return stripped

"""Keys that AWS Secrets Manager keeps: fetched now and then, and used on while AWS cannot be reached."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from serve_app.access.keys import KeyRecord, parse_keys

logger = logging.getLogger(__name__)

# Also how long one request waits when it is the one that fetches.
_TIMEOUT_S = 5.0
_RETRY_S = 30.0


class KeySecret:
    """A secret whose text is a key document (YAML or JSON); ``AWS_ENDPOINT_URL`` and the like are boto3's.

    ``refresh_s`` is its greatest age. The request that finds it too old fetches it; others do not wait.
    """

    def __init__(
        self, secret_id: str, refresh_s: float, read_clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._secret_id = secret_id
        self._refresh_s = refresh_s
        self._read_clock_s = read_clock_s
        self._next_look_s = float("-inf")
        self._version: str | None = None
        self._client: Any = None

    def load(self) -> tuple[KeyRecord, ...]:
        """The keys at the start. Raises `ValueError` with one sentence for the operator."""
        self._next_look_s = self._read_clock_s() + self._refresh_s
        try:
            return self._fetch() or ()
        except Exception as error:
            raise ValueError(f"API_KEYS_SECRET_ID cannot be used: {_name_fault(error)}.") from error

    async def reload(self) -> tuple[KeyRecord, ...] | None:
        """The keys, where it was time to look and there is a new version; None else."""
        now_s = self._read_clock_s()
        if now_s < self._next_look_s:
            return None
        # Before the first wait, so that no other request looks too.
        self._next_look_s = now_s + self._refresh_s
        try:
            return await asyncio.to_thread(self._fetch)
        except Exception as error:
            self._next_look_s = self._read_clock_s() + min(_RETRY_S, self._refresh_s)
            logger.error("The secret with the keys: %s; the last good set stays.", _name_fault(error))
            return None

    def _fetch(self) -> tuple[KeyRecord, ...] | None:
        self._client = self._client or _make_client()
        answer = self._client.get_secret_value(SecretId=self._secret_id)
        if answer["VersionId"] == self._version:
            return None
        keys = parse_keys(answer.get("SecretString", ""))
        self._version = answer["VersionId"]
        return keys


def _make_client() -> Any:
    # Late: most services keep no keys there, and boto3 takes a third of a second to import.
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, retries={"total_max_attempts": 1})
    return boto3.client("secretsmanager", config=config)


def _name_fault(error: Exception) -> str:
    """What went wrong, without a word of the answer: only our own errors are known to quote nothing."""
    if isinstance(error, ValueError) and type(error) is ValueError:
        return str(error)
    response = getattr(error, "response", {})
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return f"{type(error).__name__}{f' ({code})' if code else ''}"

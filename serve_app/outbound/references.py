"""Documents that a request names by an address, fetched where the operator allows that."""

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self, TypeVar

from serve_app.error_codes import (
    ReferenceNotAllowed,
    ReferenceTimeout,
    ReferenceTooLarge,
    ReferenceUnreachable,
)
from serve_app.outbound.buckets import BucketPolicy, Buckets
from serve_app.outbound.client import OutboundClient, OutboundLimits
from serve_app.outbound.errors import NotAllowed, OutboundError, TimedOut, TooLong, Unreachable
from serve_app.outbound.policy import OutboundPolicy, parse_networks

ReferenceKind = Literal["url", "s3"]

logger = logging.getLogger(__name__)

_TIMEOUT_S = 30.0
_Parsed = TypeVar("_Parsed")


@dataclass(frozen=True)
class Reference:
    """Where a document is, as the request says it; it may be a secret, so it is never shown."""

    kind: ReferenceKind
    address: str

    def __repr__(self) -> str:
        """The kind alone."""
        return f"Reference({self.kind!r})"


@dataclass(frozen=True)
class ReferenceSettings:
    """What the operator allows; nothing unless they say so."""

    hosts: OutboundPolicy = field(default_factory=OutboundPolicy)
    buckets: BucketPolicy = field(default_factory=BucketPolicy)
    timeout_s: float = _TIMEOUT_S

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read what docs/operations.md lists. Raises `ValueError` with one sentence for the operator."""
        hosts = _read(environment, "INPUT_HOSTS", OutboundPolicy.parse)
        refused = _read(environment, "REFUSED_NETWORKS", parse_networks)
        return cls(
            replace(hosts, refused=refused),
            _read(environment, "INPUT_BUCKETS", BucketPolicy.parse),
            _read(environment, "INPUT_TIMEOUT_S", _parse_seconds),
        )


class References:
    """Fetches documents. Belongs to one event loop."""

    def __init__(
        self,
        settings: ReferenceSettings,
        client: OutboundClient | None = None,
        buckets: Buckets | None = None,
    ) -> None:
        self._timeout_s = settings.timeout_s
        limits = OutboundLimits(total_s=settings.timeout_s)
        self._client = client or OutboundClient(settings.hosts, limits)
        self._buckets = buckets or Buckets(settings.buckets, settings.timeout_s)

    async def fetch(self, reference: Reference, max_bytes: int, request_id: str) -> bytes:
        """The bytes of a document.

        Raises `ReferenceNotAllowed`, `ReferenceUnreachable`, `ReferenceTimeout` and `ReferenceTooLarge`,
        which tell what the caller knows already, and the status of a server that may be asked.
        """
        start_s = time.monotonic()
        get = self._client.get if reference.kind == "url" else self._buckets.get
        try:
            return await get(reference.address, max_bytes)
        except OutboundError as error:
            # The address is left out: its path or its query may be what lets somebody in.
            logger.warning(
                "request %s: no document by %s after %.1f s: %s",
                request_id,
                reference.kind,
                time.monotonic() - start_s,
                error.reason,
            )
            raise self._tell(error, max_bytes) from None

    def _tell(self, error: OutboundError, max_bytes: int) -> Exception:
        match error:
            case NotAllowed():
                return ReferenceNotAllowed(f"The service does not fetch this address: {error.reason}.")
            case TooLong():
                return ReferenceTooLarge(f"The document at this address has more than {max_bytes} bytes.")
            case Unreachable(status=int(status)):
                return ReferenceUnreachable(f"The address answered with status {status}.")
            case TimedOut():
                return ReferenceTimeout(
                    f"The document could not be fetched within {self._timeout_s:g} seconds."
                )
            case _:
                return ReferenceUnreachable("Nothing could be fetched from this address.")


def _parse_seconds(text: str) -> float:
    value = float(text) if text.replace(".", "", 1).isdigit() else 0.0 if text else _TIMEOUT_S
    if not 1 <= value <= 300:
        raise ValueError(f"a number of seconds from 1 to 300, not {text!r}")
    return value


def _read(environment: Mapping[str, str], name: str, parse: Callable[[str], _Parsed]) -> _Parsed:
    try:
        return parse(environment.get(name, "").strip())
    except ValueError as error:
        raise ValueError(f"{name}: {error}.") from None

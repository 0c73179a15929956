"""Who calls: an identity with what it may do, how much of it, and until when."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Scope = Literal["ocr", "structure", "extraction", "jobs", "admin", "metrics"]

ALL_SCOPES: frozenset[Scope] = frozenset(get_args(Scope))
DOCUMENT_SCOPES: frozenset[Scope] = frozenset({"ocr", "structure", "extraction", "jobs"})

# A moving window keeps one entry a request, so its quota must not be boundless.
_MAX_REQUESTS = 100_000
_MAX_AMOUNT = 10**15


class CallerLimits(BaseModel):
    """How much a caller may use; None is no limit of that kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests_per_minute: int | None = Field(None, ge=1, le=_MAX_REQUESTS)
    pixels_per_minute: int | None = Field(None, ge=1, le=_MAX_AMOUNT)
    concurrent_requests: int | None = Field(None, ge=1, le=_MAX_REQUESTS)
    pages_per_day: int | None = Field(None, ge=1, le=_MAX_AMOUNT)

    @property
    def is_unlimited(self) -> bool:
        """Whether there is nothing to count."""
        return all(value is None for value in self.stated().values())

    def stated(self) -> dict[str, int | None]:
        """Each limit by its name."""
        return dict(self)

    def or_else(self, defaults: "CallerLimits") -> "CallerLimits":
        """These limits, and the others' where this one states none."""
        own = {name: value for name, value in self.stated().items() if value is not None}
        return CallerLimits.model_validate({**defaults.stated(), **own})


@dataclass(frozen=True)
class Caller:
    """Who sent a request. ``key_id`` is stable and no secret: the id of a key, or ``user:`` and a subject.

    ``owner`` is the same for all keys of one owner, so that a key can be replaced by another one.
    """

    key_id: str
    owner: str
    scopes: frozenset[Scope]
    limits: CallerLimits = field(default_factory=CallerLimits)
    expires: datetime | None = None

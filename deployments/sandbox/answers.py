"""What a process of a sandbox answers."""

from dataclasses import dataclass
from typing import Any

from deployments.errors import ServiceError


@dataclass(frozen=True)
class Done:
    """The task's result."""

    result: Any


@dataclass(frozen=True)
class Refused:
    """The task raised an error of the service."""

    error: ServiceError


@dataclass(frozen=True)
class FileNeeded:
    """The process does not have the file open: the task must come with its bytes."""


@dataclass(frozen=True)
class OutOfMemory:
    """The task would have taken more memory than the process may have."""


@dataclass(frozen=True)
class Failed:
    """The task raised what nobody foresaw; ``frames`` say where."""

    kind: str
    frames: str


Answer = Done | Refused | FileNeeded | OutOfMemory | Failed

"""The vocabulary of jobs: what was ordered, and how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

JobTask = Literal["ocr", "structure", "extraction"]
# `partial` has ended: some of it was read, and some could not be.
JobState = Literal["queued", "running", "partial", "done", "failed", "cancelled", "expired"]
FileState = Literal["queued", "running", "partial", "done", "failed", "cancelled"]
PageState = Literal["running", "done", "failed"]

OPEN_STATES: tuple[JobState, ...] = ("queued", "running")
ENDED_STATES: tuple[JobState, ...] = ("partial", "done", "failed", "cancelled", "expired")


@dataclass(frozen=True)
class Fault:
    """Why a file or a page has no result: a stable code, and a message that a caller may see."""

    code: str
    message: str


@dataclass(frozen=True)
class StoredFile:
    """A document of a job as it lies in the storage; ``sha256`` is empty where nobody has hashed it yet."""

    name: str
    key: str
    size_bytes: int
    sha256: str = ""


@dataclass(frozen=True)
class Order:
    """What is to be done with every file of a job; ``options`` are those of the task's own route."""

    task: JobTask
    options: Mapping[str, object]
    formats: tuple[str, ...]
    request_id: str = ""


@dataclass(frozen=True)
class Webhook:
    """Where the end of a job is told, and the secret that signs it."""

    url: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class NewJob:
    """A job before it is recorded. ``fingerprint`` says what was asked, for those who ask twice."""

    id: str
    owner: str
    order: Order
    files: tuple[StoredFile, ...]
    idempotency_key: str | None = None
    fingerprint: str = ""
    webhook: Webhook | None = None


@dataclass(frozen=True)
class JobRecord:
    """A job as its owner sees it. Times are seconds since the epoch; ``seq`` grows with each change."""

    id: str
    owner: str
    order: Order
    state: JobState
    created_s: float
    started_s: float | None
    ended_s: float | None
    expires_s: float | None
    files_total: int
    files_ended: int
    pages_total: int
    pages_processed: int
    pages_failed: int
    size_bytes: int
    seq: int
    idempotency_key: str | None
    fingerprint: str


@dataclass(frozen=True)
class FileRecord:
    """A file of a job, by its place from 0; ``results`` are the sizes in bytes of its forms."""

    job_id: str
    place: int
    file: StoredFile
    state: FileState
    fault: Fault | None
    pages_total: int | None
    pages_processed: int
    pages_failed: int
    results: Mapping[str, int]
    ended_s: float | None
    seq: int


@dataclass(frozen=True)
class PageRecord:
    """A page that was begun; ``attempts`` counts how often, more than once where a process died over it."""

    place: int
    number: int
    state: PageState
    fault: Fault | None
    attempts: int
    seq: int

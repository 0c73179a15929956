"""Where jobs are handed in and asked for: records and storage together, away from the event loop."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import IO, TypeVar

from configs.jobs import JobsSettings, JobsStage
from deployments.errors import Busy, InputLost, ServiceError
from deployments.input_errors import TooManyBytes
from deployments.jobs.database import JobDatabase
from deployments.jobs.records import JobRecords
from deployments.jobs.rows import make_job_id
from deployments.jobs.states import JobRecord, NewJob, Order, StoredFile, Webhook
from deployments.jobs.storage import JobStorage, input_key, job_prefix
from deployments.jobs.uploads import Upload, Uploads
from serve_app.error_codes import IdempotencyKeyReused, JobNotFound

logger = logging.getLogger(__name__)

_ResultT = TypeVar("_ResultT")
_STORED_AT_ONCE = 4
_RETRY_AFTER_S = 30


@dataclass(frozen=True)
class IncomingFile:
    """A document that came with a request: open at its beginning, measured and hashed."""

    name: str
    file: IO[bytes]
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Request:
    """A job as it was handed in."""

    owner: str
    order: Order
    files: Sequence[IncomingFile]
    upload_ids: Sequence[str] = ()
    idempotency_key: str | None = None
    webhook: Webhook | None = None

    def fingerprint(self) -> str:
        """What was asked, so that the same question is known again; the request's own id is none of it."""
        order = {**asdict(self.order), "request_id": ""}
        files = [(file.name, file.sha256) for file in self.files]
        url = None if self.webhook is None else self.webhook.url
        text = json.dumps([order, files, list(self.upload_ids), url], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


class JobDesk:
    """Accepts jobs, and looks them up. Every method raises `JobsUnavailable` or `StorageUnavailable`.

    ``check`` raises what makes an order or its webhook impossible here; ``wake`` tells whoever reads that
    there is a change.
    """

    def __init__(
        self,
        settings: JobsSettings,
        stage: JobsStage,
        check: Callable[[Order, Webhook | None], Awaitable[None]],
        wake: Callable[[], None],
    ) -> None:
        self.settings = settings
        self.stage = stage
        self.check = check
        self.wake = wake
        self.storage = JobStorage(settings.storage_url)
        database = JobDatabase(settings.database_url.get_secret_value())
        self._records = JobRecords(database, settings.ttl_s)
        self._uploads = Uploads(database, settings.upload_ttl_s)

    async def ask(self, question: Callable[[JobRecords], _ResultT]) -> _ResultT:
        """Ask the records."""
        return await asyncio.to_thread(question, self._records)

    async def accept(self, request: Request) -> JobRecord:
        """Keep the documents, then record the job: when this returns, nothing of it is lost any more.

        Where its owner has handed in the same with the same key before, that job. Raises
        `IdempotencyKeyReused` for another one, `Busy` when there are too many jobs already.
        """
        fingerprint = await asyncio.to_thread(request.fingerprint)
        key = request.idempotency_key
        if key is not None:
            known = await self.ask(lambda records: records.find_by_key(request.owner, key))
            if known is not None:
                return _check_same(known, fingerprint)
        await self._check_room(request.owner)
        uploads = await self._find_uploads(request)
        job_id = make_job_id()
        try:
            stored = await self._store(job_id, request.files) + await self._take(job_id, uploads)
            new = NewJob(job_id, request.owner, request.order, stored, key, fingerprint, request.webhook)
            job = await self.ask(lambda records: records.accept(new))
        except BaseException:
            await self._forget(job_id)
            raise
        if job.id != job_id:
            await self._forget(job_id)
            return _check_same(job, fingerprint)
        self.wake()
        if uploads:
            await self._release(uploads)
        return job

    async def add_upload(self, owner: str, name: str) -> Upload:
        """A place to which this owner sends a document."""
        return await asyncio.to_thread(self._uploads.add, owner, name)

    async def delete(self, owner: str, job_id: str) -> JobRecord | None:
        """Stop a job and delete it; None when the owner has no such job.

        What the storage does not delete now, the engine deletes; nobody finds it any more in any case.
        """
        job = await self.ask(lambda records: records.cancel(owner, job_id, is_deleted=True))
        if job is not None:
            await self._forget(job_id)
            self.wake()
        return job

    async def _check_room(self, owner: str) -> None:
        """Nobody fills the queue alone, so that there is room for others."""
        total, of_owner = await self.ask(lambda records: records.count_open(owner))
        if of_owner >= self.stage.max_open_jobs_per_owner:
            raise Busy("Too many of your jobs have not ended.", _RETRY_AFTER_S)
        if total >= self.stage.max_open_jobs:
            raise Busy("There are too many jobs that have not ended.", _RETRY_AFTER_S)

    async def _find_uploads(self, request: Request) -> list[Upload]:
        found = [
            await asyncio.to_thread(self._uploads.find, request.owner, upload_id)
            for upload_id in dict.fromkeys(request.upload_ids)
        ]
        if None in found:
            raise JobNotFound("There is no such upload.")
        return [upload for upload in found if upload is not None]

    async def _take(self, job_id: str, uploads: Sequence[Upload]) -> tuple[StoredFile, ...]:
        """Copy what was uploaded to the job's own place; whoever has the address changes it no more."""
        taken = []
        for upload in uploads:
            key = input_key(job_id, upload.id)
            try:
                await self.storage.copy(upload.key, key)
            except InputLost:
                raise JobNotFound("Nothing was sent to this upload yet.") from None
            size_bytes = await self.storage.find_size(key) or 0
            if size_bytes > self.stage.max_upload_bytes:
                raise TooManyBytes(f"An upload has more than {self.stage.max_upload_bytes} bytes.")
            taken.append(StoredFile(upload.name, key, size_bytes))
        return tuple(taken)

    async def _release(self, uploads: Sequence[Upload]) -> None:
        try:
            for upload in uploads:
                await self.storage.delete(upload.key)
            await asyncio.to_thread(self._uploads.remove, tuple(upload.id for upload in uploads))
        except Busy:
            # They are deleted when their time is over.
            logger.warning("uploads that a job has taken could not be deleted yet")

    async def _store(self, job_id: str, files: Sequence[IncomingFile]) -> tuple[StoredFile, ...]:
        gate = asyncio.Semaphore(_STORED_AT_ONCE)

        async def put(file: IncomingFile) -> None:
            async with gate:
                await self.storage.put(input_key(job_id, file.sha256), file.file)

        # The same bytes under several names lie there once.
        await asyncio.gather(*map(put, {file.sha256: file for file in files}.values()))
        return tuple(
            StoredFile(file.name, input_key(job_id, file.sha256), file.size_bytes, file.sha256)
            for file in files
        )

    async def _forget(self, job_id: str) -> None:
        """Delete what was stored for a job that is none; what cannot be deleted now, the engine finds."""
        try:
            await asyncio.shield(self.storage.delete_all(job_prefix(job_id)))
        except (ServiceError, asyncio.CancelledError):
            logger.warning("documents of a job that was not accepted could not be deleted yet")


def _check_same(job: JobRecord, fingerprint: str) -> JobRecord:
    if job.fingerprint != fingerprint:
        raise IdempotencyKeyReused("This Idempotency-Key came with another job before.")
    return job

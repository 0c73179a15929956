"""What is told of jobs."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, Field

from deployments.document import PageError
from deployments.jobs.states import (
    ENDED_STATES,
    Fault,
    FileRecord,
    FileState,
    JobRecord,
    JobState,
    JobTask,
    PageRecord,
    PageState,
)
from serve_app.results import PageProblem

_JOB_ID = "job_019a7c3f2b10d3a4f5e6b7c8d9e0f1a2"
_TIME = "2026-11-28T09:30:00.000Z"


class JobPage(BaseModel):
    """A page of a file that was begun."""

    number: int = Field(description="Number of the page, from 1.", examples=[1])
    status: PageState = Field(description="How far it has come.", examples=["done"])
    error: PageProblem | None = Field(
        None,
        description="Present when the page could not be read.",
        examples=[{"code": "malformed_pdf", "message": "Malformed PDF", "status": 400}],
    )

    @classmethod
    def from_record(cls, page: PageRecord) -> "JobPage":
        """Put a page into the answer's form."""
        return cls(number=page.number, status=page.state, error=_describe(page.fault))


class JobFile(BaseModel):
    """A file of a job."""

    index: int = Field(description="Place of the file in the job, from 0.", examples=[0])
    name: str = Field(description="Name that the file came with.", examples=["invoice.pdf"])
    size_bytes: int = Field(description="Bytes of the file.", examples=[182044])
    status: FileState = Field(
        description="`partial`: some pages could not be read, and have their errors in the result.",
        examples=["done"],
    )
    pages_total: int | None = Field(
        None, description="Pages to read; absent until the file was opened.", examples=[12]
    )
    pages_processed: int = Field(description="Pages that were read.", examples=[12])
    pages_failed: int = Field(description="Pages that could not be read.", examples=[0])
    error: PageProblem | None = Field(
        None,
        description="Present when nothing of the file could be read.",
        examples=[{"code": "encrypted_pdf", "message": "Encrypted PDF", "status": 422}],
    )
    results: dict[str, str] = Field(
        description="Paths of the result by form; empty until there is one.",
        examples=[{"json": f"/v1/jobs/{_JOB_ID}/files/0/result?format=json"}],
    )
    pages: list[JobPage] | None = Field(
        None, description="The pages that were begun; only where one file is asked for.", examples=[[]]
    )

    @classmethod
    def from_record(cls, file: FileRecord, pages: Sequence[PageRecord] | None = None) -> "JobFile":
        """Put a file into the answer's form."""
        base = f"/v1/jobs/{file.job_id}/files/{file.place}/result?format="
        return cls(
            index=file.place,
            name=file.file.name,
            size_bytes=file.file.size_bytes,
            status=file.state,
            pages_total=file.pages_total,
            pages_processed=file.pages_processed,
            pages_failed=file.pages_failed,
            error=_describe(file.fault),
            results={form: base + form for form in file.results},
            pages=None if pages is None else [JobPage.from_record(page) for page in pages],
        )


class JobSummary(BaseModel):
    """A job without its files."""

    id: str = Field(description="The job's id.", examples=[_JOB_ID])
    status: JobState = Field(
        description="`queued` and `running` go on; the others have ended. `partial`: some of it was read, "
        "and some could not be. `expired`: its documents and results are deleted.",
        examples=["running"],
    )
    task: JobTask = Field(description="What is done with each file.", examples=["structure"])
    formats: list[str] = Field(description="The forms of the results.", examples=[["json", "markdown"]])
    created: str = Field(description="When it was accepted.", examples=[_TIME])
    started: str | None = Field(None, description="When its first file was begun.", examples=[_TIME])
    ended: str | None = Field(None, description="When it ended.", examples=[_TIME])
    expires: str | None = Field(
        None, description="When its documents and results will be deleted.", examples=[_TIME]
    )
    files_total: int = Field(description="Files of the job.", examples=[3])
    files_ended: int = Field(description="Files that have ended, however.", examples=[1])
    pages_total: int = Field(
        description="Pages of the files that were opened so far; it grows until all of them were.",
        examples=[14],
    )
    pages_processed: int = Field(description="Pages that were read.", examples=[5])
    pages_failed: int = Field(description="Pages that could not be read.", examples=[0])

    @classmethod
    def from_record(cls, job: JobRecord) -> "JobSummary":
        """Put a job into the answer's form."""
        return cls(**_describe_job(job))


class JobStatus(JobSummary):
    """A job with its files."""

    files: list[JobFile] = Field(description="The files, in the order in which they came.", examples=[[]])

    @classmethod
    def from_records(cls, job: JobRecord, files: Sequence[FileRecord]) -> "JobStatus":
        """Put a job into the answer's form."""
        return cls(**_describe_job(job), files=[JobFile.from_record(file) for file in files])


class JobList(BaseModel):
    """Jobs of the caller, the newest first."""

    data: list[JobSummary] = Field(description="The jobs.", examples=[[]])
    first_id: str | None = Field(description="The first job's id; null for none.", examples=[_JOB_ID])
    last_id: str | None = Field(
        description="The last job's id, which as `after` gives those that follow.", examples=[_JOB_ID]
    )
    has_more: bool = Field(description="Whether there are any.", examples=[False])

    @classmethod
    def from_records(cls, jobs: Sequence[JobRecord], has_more: bool) -> "JobList":
        """Put jobs into the answer's form."""
        return cls(
            data=[JobSummary.from_record(job) for job in jobs],
            first_id=jobs[0].id if jobs else None,
            last_id=jobs[-1].id if jobs else None,
            has_more=has_more,
        )


def has_ended(job: JobRecord) -> bool:
    """Whether nothing of a job changes any more, but that it expires."""
    return job.state in ENDED_STATES


def _describe_job(job: JobRecord) -> dict[str, object]:
    return {
        "id": job.id,
        "status": job.state,
        "task": job.order.task,
        "formats": list(job.order.formats),
        "created": write_time(job.created_s),
        "started": _maybe_time(job.started_s),
        "ended": _maybe_time(job.ended_s),
        "expires": _maybe_time(job.expires_s),
        "files_total": job.files_total,
        "files_ended": job.files_ended,
        "pages_total": job.pages_total,
        "pages_processed": job.pages_processed,
        "pages_failed": job.pages_failed,
    }


def _describe(fault: Fault | None) -> PageProblem | None:
    return None if fault is None else PageProblem.from_error(PageError(fault.code, fault.message))


def write_time(seconds: float) -> str:
    """Seconds since the epoch as RFC 3339, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _maybe_time(seconds: float | None) -> str | None:
    return None if seconds is None else write_time(seconds)

"""Where jobs are kept, and how many at a time: the profile's part, and what a node's environment says."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    field_validator,
)

from configs.settings import MemoryLimits, ReplicaOptions, Settings

_MIB = 1024 * 1024
_DAY_S = 86_400.0
# Names that PostgreSQL's own client library reads, and the part of an address that each of them is.
_POSTGRES_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
_STORAGE_SCHEMES = ("file", "s3")


class ArchiveLimits(Settings):
    """What a ZIP may hold: a small one must not become a large one by being opened."""

    max_entries: PositiveInt = 2_000
    max_total_bytes: PositiveInt = 1024 * _MIB
    # Bytes that one packed byte may become; a page that was scanned is packed already.
    max_ratio: PositiveInt = 200


class JobsStage(Settings):
    """Reads the documents of jobs, in the lane that gives way to people who wait.

    ``files_at_once`` and ``pages_in_flight`` are those of the replica; what one job may have is bounded by
    ``max_files``, ``max_job_bytes`` and, for each file, ``max_pages``. ``max_open_jobs`` have not ended at a
    time, of one key ``max_open_jobs_per_owner``.
    """

    replicas: ReplicaOptions = ReplicaOptions()
    memory: MemoryLimits = MemoryLimits()
    files_at_once: PositiveInt = 4
    pages_in_flight: PositiveInt = 4
    max_files: PositiveInt = 2_000
    max_job_bytes: PositiveInt = 2048 * _MIB
    max_file_bytes: PositiveInt = 256 * _MIB
    max_upload_bytes: PositiveInt = 1024 * _MIB
    max_pages: PositiveInt = 10_000
    max_open_jobs: NonNegativeInt = 1_000
    max_open_jobs_per_owner: NonNegativeInt = 500
    archive: ArchiveLimits = ArchiveLimits()


class JobsSettings(Settings):
    """The places of jobs, by the variables ``JOBS_*`` of a node.

    ``database_url`` is SQLAlchemy's (``sqlite:///...`` or ``postgresql://...``), ``storage_url`` a folder
    (``file:///...``) or a bucket (``s3://bucket/prefix``). Documents and results of a job are deleted
    ``ttl_s`` seconds after it ended, what is left of it after as long again.
    """

    database_url: SecretStr
    storage_url: str
    ttl_s: PositiveFloat = 7 * _DAY_S
    upload_ttl_s: PositiveFloat = 3_600.0
    webhook_secret: SecretStr = SecretStr("")
    webhook_attempts: PositiveInt = 8
    webhook_timeout_s: PositiveFloat = Field(default=10.0, le=120.0)
    webhook_first_delay_s: PositiveFloat = 5.0

    @field_validator("storage_url")
    @classmethod
    def _be_a_known_place(cls, value: str) -> str:
        if urlsplit(value).scheme not in _STORAGE_SCHEMES:
            raise ValueError("must begin with file:// or s3://")
        return value.rstrip("/")

    @property
    def is_embedded(self) -> bool:
        """Whether the database is a file of this machine."""
        return self.database_url.get_secret_value().startswith("sqlite")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read what docs/operations.md lists. Raises `ValueError`, without any password."""
        given = {
            "database_url": _read_database(environment),
            "storage_url": _read_storage(environment),
            "ttl_s": environment.get("JOB_TTL_S", "").strip(),
            "upload_ttl_s": environment.get("JOBS_UPLOAD_TTL_S", "").strip(),
            "webhook_secret": environment.get("JOBS_WEBHOOK_SECRET", "").strip(),
            "webhook_attempts": environment.get("JOBS_WEBHOOK_ATTEMPTS", "").strip(),
            "webhook_timeout_s": environment.get("JOBS_WEBHOOK_TIMEOUT_S", "").strip(),
            "webhook_first_delay_s": environment.get("JOBS_WEBHOOK_FIRST_DELAY_S", "").strip(),
        }
        try:
            return cls.model_validate({name: value for name, value in given.items() if value})
        except ValidationError as error:
            faults = "; ".join(
                f"{fault['loc'][0]}: {fault['msg']}"
                for fault in error.errors(include_input=False, include_url=False)
            )
            raise ValueError(f"Jobs are not set up: {faults}") from None


def find_data_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder in which this machine keeps what must outlive the service."""
    own = environment.get("OCR_DATA_DIR", "").strip()
    if own:
        return Path(own).expanduser().absolute()
    base = environment.get("XDG_DATA_HOME", "").strip() or "~/.local/share"
    return Path(base).expanduser().absolute() / "ocr-serve"


def _read_database(environment: Mapping[str, str]) -> str:
    url = environment.get("JOBS_DATABASE_URL", "").strip()
    if url:
        scheme, separator, rest = url.partition("://")
        if scheme.startswith("sqlite"):
            return url
        if not separator or scheme not in _POSTGRES_SCHEMES:
            raise ValueError(
                "Jobs are not set up: JOBS_DATABASE_URL must begin with sqlite:// or postgresql://."
            )
        return f"postgresql+psycopg://{rest}"
    if environment.get("PGHOST", "").strip() and environment.get("PGDATABASE", "").strip():
        return _join_postgres(environment)
    return f"sqlite:///{find_data_dir(environment) / 'jobs.sqlite'}"


def _join_postgres(environment: Mapping[str, str]) -> str:
    """The address that the variables of PostgreSQL's client library mean, which Terraform sets."""
    part = {
        name: environment.get(name, "").strip() for name in ("PGHOST", "PGPORT", "PGDATABASE", "PGSSLMODE")
    }
    user, password = (quote(environment.get(name, ""), safe="") for name in ("PGUSER", "PGPASSWORD"))
    login = f"{user}:{password}@" if user else ""
    port = f":{part['PGPORT']}" if part["PGPORT"] else ""
    query = f"?sslmode={part['PGSSLMODE']}" if part["PGSSLMODE"] else ""
    return f"postgresql+psycopg://{login}{part['PGHOST']}{port}/{quote(part['PGDATABASE'], safe='')}{query}"


def _read_storage(environment: Mapping[str, str]) -> str:
    for name in ("JOBS_STORAGE_URL", "OCR_JOBS_S3"):
        if environment.get(name, "").strip():
            return environment[name].strip()
    return (find_data_dir(environment) / "jobs").as_uri()

"""Places in the storage to which callers send large documents themselves, until a job takes them."""

import secrets
import time
from dataclasses import dataclass

import sqlalchemy as sa

from deployments.jobs.database import JobDatabase
from deployments.jobs.storage import upload_key
from deployments.jobs.tables import uploads


@dataclass(frozen=True)
class Upload:
    """A place for one document, until ``expires_s``."""

    id: str
    name: str
    key: str
    expires_s: float


class Uploads:
    """The places that were given out. Every method blocks, and raises `JobsUnavailable`."""

    def __init__(self, database: JobDatabase, ttl_s: float) -> None:
        self._database = database
        self._ttl_s = ttl_s

    def add(self, owner: str, name: str) -> Upload:
        """A new place."""
        upload_id = f"upl_{secrets.token_hex(16)}"
        upload = Upload(upload_id, name, upload_key(upload_id), time.time() + self._ttl_s)
        with self._database.write() as connection:
            connection.execute(
                sa.insert(uploads).values(
                    id=upload.id, owner=owner, name=name, key=upload.key, expires_s=upload.expires_s
                )
            )
        return upload

    def find(self, owner: str, upload_id: str) -> Upload | None:
        """A place of this owner."""
        with self._database.read() as connection:
            row = connection.execute(
                sa.select(uploads).where(uploads.c.id == upload_id, uploads.c.owner == owner)
            ).first()
        return None if row is None else Upload(row.id, row.name, row.key, row.expires_s)

    def remove(self, upload_ids: tuple[str, ...]) -> None:
        """The documents lie elsewhere now."""
        with self._database.write() as connection:
            connection.execute(sa.delete(uploads).where(uploads.c.id.in_(upload_ids)))

"""The tables of jobs, for SQLite and PostgreSQL alike."""

import sqlalchemy as sa

metadata = sa.MetaData()

jobs = sa.Table(
    "ocr_jobs",
    metadata,
    # Begins with the time, so that the order of the ids is that of the jobs.
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("task", sa.String(16), nullable=False),
    sa.Column("options", sa.JSON, nullable=False),
    sa.Column("formats", sa.JSON, nullable=False),
    sa.Column("request_id", sa.String(128), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created_s", sa.Float(53), nullable=False),
    sa.Column("started_s", sa.Float(53)),
    sa.Column("ended_s", sa.Float(53)),
    sa.Column("expires_s", sa.Float(53)),
    sa.Column("files_total", sa.Integer, nullable=False),
    sa.Column("files_ended", sa.Integer, nullable=False, default=0),
    sa.Column("pages_total", sa.Integer, nullable=False, default=0),
    sa.Column("pages_processed", sa.Integer, nullable=False, default=0),
    sa.Column("pages_failed", sa.Integer, nullable=False, default=0),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False, default=0),
    sa.Column("idempotency_key", sa.String(255)),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("webhook_url", sa.Text),
    sa.Column("webhook_secret", sa.Text),
    # Whether the engine knows of it, and whether its owner wants it gone.
    sa.Column("is_dispatched", sa.Boolean, nullable=False, default=False),
    sa.Column("is_deleted", sa.Boolean, nullable=False, default=False),
    sa.UniqueConstraint("owner", "idempotency_key", name="ocr_jobs_idempotency"),
    sa.Index("ocr_jobs_owner", "owner", "id"),
    sa.Index("ocr_jobs_state", "state"),
)

files = sa.Table(
    "ocr_job_files",
    metadata,
    sa.Column("job_id", sa.String(40), sa.ForeignKey("ocr_jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("fault_code", sa.String(64)),
    sa.Column("fault_message", sa.Text),
    sa.Column("pages_total", sa.Integer),
    sa.Column("pages_processed", sa.Integer, nullable=False, default=0),
    sa.Column("pages_failed", sa.Integer, nullable=False, default=0),
    sa.Column("results", sa.JSON, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("ended_s", sa.Float(53)),
    sa.Column("seq", sa.Integer, nullable=False, default=0),
)

pages = sa.Table(
    "ocr_job_pages",
    metadata,
    sa.Column("job_id", sa.String(40), sa.ForeignKey("ocr_jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("fault_code", sa.String(64)),
    sa.Column("fault_message", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False, default=0),
)

events = sa.Table(
    "ocr_job_events",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("job_id", sa.String(40), sa.ForeignKey("ocr_jobs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("last_answer", sa.String(64)),
    sa.Column("created_s", sa.Float(53), nullable=False),
    sa.Index("ocr_job_events_job", "job_id"),
    sa.Index("ocr_job_events_state", "state"),
)

uploads = sa.Table(
    "ocr_job_uploads",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("expires_s", sa.Float(53), nullable=False),
)

executors = sa.Table(
    "ocr_job_executors",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("machine", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("pid_started_s", sa.Float(53), nullable=False),
    sa.Column("seen_s", sa.Float(53), nullable=False),
)

"""Where jobs are kept, by the environment."""

from pathlib import Path

import pytest

from configs.jobs import JobsSettings


def read(**environment: str) -> JobsSettings:
    """The settings of a node."""
    return JobsSettings.from_environment(environment)


def test_without_a_word_jobs_are_kept_in_a_folder(tmp_path: Path) -> None:
    """A file of SQLite, and a folder beside it."""
    settings = read(OCR_DATA_DIR=str(tmp_path))
    assert settings.database_url.get_secret_value() == f"sqlite:///{tmp_path}/jobs.sqlite"
    assert settings.storage_url == (tmp_path / "jobs").as_uri()
    assert settings.is_embedded


def test_a_cluster_says_it_with_the_names_that_terraform_gives() -> None:
    """The variables of PostgreSQL's own library, and a bucket."""
    settings = read(
        PGHOST="db.internal",
        PGPORT="5432",
        PGDATABASE="ocr",
        PGUSER="ocr",
        PGPASSWORD="a/b c",
        PGSSLMODE="require",
        OCR_JOBS_S3="s3://bucket/jobs",
    )
    url = settings.database_url.get_secret_value()
    assert url == "postgresql+psycopg://ocr:a%2Fb%20c@db.internal:5432/ocr?sslmode=require"
    assert settings.storage_url == "s3://bucket/jobs"
    assert "a%2Fb" not in repr(settings)


def test_own_addresses_win() -> None:
    """Whatever else the environment has."""
    settings = read(
        JOBS_DATABASE_URL="postgres://db/x",
        PGHOST="y",
        PGDATABASE="z",
        JOBS_STORAGE_URL="file:///srv/",
        JOB_TTL_S="60",
    )
    assert settings.database_url.get_secret_value() == "postgresql+psycopg://db/x"
    assert (settings.storage_url, settings.ttl_s) == ("file:///srv", 60)


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"JOBS_DATABASE_URL": "mysql://me:secret@db/x"}, "JOBS_DATABASE_URL"),
        ({"JOBS_STORAGE_URL": "ftp://me:secret@x"}, "storage_url"),
        ({"JOB_TTL_S": "secret"}, "ttl_s"),
    ],
)
def test_what_is_wrong_is_told_without_any_secret(environment: dict[str, str], named: str) -> None:
    """One sentence for the operator."""
    with pytest.raises(ValueError, match=named) as caught:
        read(**environment)
    assert "secret" not in str(caught.value)

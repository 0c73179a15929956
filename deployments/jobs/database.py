"""The database of jobs: one file of SQLite, or PostgreSQL; what fails in it becomes `JobsUnavailable`."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from tenacity import retry, retry_if_exception, stop_after_delay, wait_random

from deployments.errors import JobsUnavailable
from deployments.jobs.tables import metadata

logger = logging.getLogger(__name__)

_LOCK_TIMEOUT_S = 10.0
_RETRY_AFTER_S = 10
# Any number, the same in every process: who makes the tables does it alone.
_SCHEMA_LOCK = 7_203_344_191


class JobDatabase:
    """Connections to the tables of jobs, which are made when they are first needed.

    For use by many threads. Every method raises `JobsUnavailable` when the database cannot be used.
    """

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._lock = threading.Lock()
        self._engine: sa.Engine | None = None

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection whose reads see one state of the tables."""
        with _translated(), self._open().connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction: all of it, or nothing. Writers to SQLite wait for each other from its beginning."""
        with (
            _translated(),
            self._open().connect().execution_options(is_write=True) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Give back all connections."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def _open(self) -> sa.Engine:
        with self._lock:
            if self._engine is None:
                engine = self._connect()
                _make_tables(engine, self.is_sqlite)
                self._engine = engine
            return self._engine

    def _connect(self) -> sa.Engine:
        if not self.is_sqlite:
            arguments = {"connect_timeout": 5, "application_name": "ocr-serve"}
            return sa.create_engine(self.url, pool_pre_ping=True, pool_timeout=10, connect_args=arguments)
        folder = Path(str(self.url.database)).parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = sa.create_engine(self.url, connect_args={"timeout": _LOCK_TIMEOUT_S})
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # Python's own way of beginning transactions would let a reader become a writer, which SQLite refuses.
    connection.isolation_level = None
    _take_write_ahead_log(connection)
    # What was committed survives a power failure.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


# The first processes to open a new file take the log at once, and SQLite lets none of them wait for that.
@retry(
    retry=retry_if_exception(lambda error: getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY),
    wait=wait_random(0.005, 0.05),
    stop=stop_after_delay(_LOCK_TIMEOUT_S),
    reraise=True,
)
def _take_write_ahead_log(connection: Any) -> None:
    """Let readers and a writer work at once."""
    connection.execute("PRAGMA journal_mode=WAL")


def _begin_sqlite(connection: sa.Connection) -> None:
    is_write = connection.get_execution_options().get("is_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _make_tables(engine: sa.Engine, is_sqlite: bool) -> None:
    with engine.connect().execution_options(is_write=True) as connection, connection.begin():
        if not is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
        metadata.create_all(connection)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        # Not the text of the error: it may hold the address, and what was to be written.
        cause = getattr(error, "orig", None) or error
        logger.error("the database of jobs failed: %s", type(cause).__name__)
        logger.debug("cause", exc_info=True)
        raise JobsUnavailable("Jobs cannot be recorded now.", _RETRY_AFTER_S) from error

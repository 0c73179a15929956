"""DBOS in this process, with the queues of jobs: begun when there is something to do."""

import sqlite3
from pathlib import Path
from typing import Any, cast

from dbos import DBOS, DBOSConfig, Queue

from deployments.jobs import workflows
from deployments.jobs.database import JobDatabase

# A poll is a few questions to the database: often while something waits, seldom while nothing does.
_QUEUE_POLL_S, _IDLE_QUEUE_POLL_S = 0.2, 1.0
_EVENTS_AT_ONCE = 8


class DurableWork:
    """What DBOS does for one process; there is one in a process. Every method blocks.

    Workflows that this process has begun are kept under ``executor_id``.
    """

    def __init__(self, database: JobDatabase, executor_id: str, files_at_once: int) -> None:
        self._database = database
        self._id = executor_id
        self._at_once = {workflows.FILES_QUEUE: files_at_once, workflows.EVENTS_QUEUE: _EVENTS_AT_ONCE}
        self._queues: list[Queue] = []
        self._is_busy = False
        self.is_launched = False

    def prepare(self) -> None:
        """Make the tables, or bring them up to date: a database that is not fit shows before a job comes.

        DBOS ends again: its polls cost a hundredth of a core, for nothing while there are no jobs.
        """
        if self._database.is_sqlite:
            _let_readers_in(self._system_file())
        DBOS(config=self._configure())
        DBOS.listen_queues([])
        DBOS.launch()
        DBOS.destroy()

    def launch(self, engine: workflows.Engine) -> None:
        """Take part in the work from now on, with what workflows of this process need; once is enough."""
        if self.is_launched:
            return
        workflows.set_engine(engine)
        try:
            DBOS(config=self._configure())
            DBOS.launch()
            self._queues = [
                DBOS.register_queue(name, worker_concurrency=count, polling_interval_sec=_QUEUE_POLL_S)
                for name, count in self._at_once.items()
            ]
        except Exception:
            DBOS.destroy()
            raise
        self._is_busy = self.is_launched = True

    def set_pace(self, is_busy: bool) -> None:
        """Let all processes look at the queues often, or seldom: what waits, waits for any of them."""
        if is_busy != self._is_busy:
            for queue in self._queues:
                queue.set_polling_interval_sec(_QUEUE_POLL_S if is_busy else _IDLE_QUEUE_POLL_S)
            self._is_busy = is_busy

    def end(self) -> None:
        """Stop where it is; workflows under way stay as they are."""
        DBOS.destroy()
        workflows.set_engine(None)

    def _configure(self) -> DBOSConfig:
        url = self._database.url
        if self._database.is_sqlite:
            url = url.set(database=str(self._system_file()))
        return {
            "name": "ocr-serve-jobs",
            "system_database_url": url.render_as_string(hide_password=False),
            "executor_id": self._id,
            "application_version": workflows.WORKFLOW_VERSION,
            "serializer": cast(Any, workflows.JsonSerializer()),
            "log_level": "WARNING",
            "use_listen_notify": False,
        }

    def _system_file(self) -> Path:
        file = Path(str(self._database.url.database))
        return file.with_name(f"{file.stem}-steps.sqlite")


def _let_readers_in(file: Path) -> None:
    """Let a file of SQLite have readers beside its writer, for good."""
    connection = sqlite3.connect(file)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()

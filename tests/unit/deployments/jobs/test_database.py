"""The database of jobs as several processes open it."""

import sqlite3
import threading
from pathlib import Path

import sqlalchemy as sa

from deployments.jobs.database import JobDatabase
from deployments.jobs.tables import executors


def test_a_new_file_that_another_process_is_making_is_waited_for(tmp_path: Path) -> None:
    """The ingress and the runner of jobs start together: neither may find the other's file locked."""
    path = tmp_path / "jobs.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE made_first (id INTEGER)")
    found: list[object] = []

    def open_and_read() -> None:
        try:
            with JobDatabase(f"sqlite:///{path}").read() as connection:
                found.append(list(connection.execute(sa.select(executors.c.id)).scalars()))
        except Exception as error:
            found.append(error)

    opener = threading.Thread(target=open_and_read)
    opener.start()
    # One that does not wait has its error well before this is over.
    opener.join(0.3)
    other.execute("COMMIT")
    opener.join()
    other.close()
    assert found == [[]]

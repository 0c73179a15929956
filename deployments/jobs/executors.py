"""Who executes jobs: each process says that it lives, and takes over from those that do not any more.

A process of the same machine is known to be dead at once; one of another machine when it has not been heard
of for ``lease_s``, by the clock of the database.
"""

import os
import time
from pathlib import Path

import psutil
import sqlalchemy as sa

from deployments.jobs.database import JobDatabase
from deployments.jobs.tables import executors

# No process has this number, on any machine.
_NOBODY = 0


class Executors:
    """The register of the processes that execute jobs. Every method blocks, and raises `JobsUnavailable`."""

    def __init__(self, database: JobDatabase, executor_id: str, lease_s: float = 15.0) -> None:
        self._database = database
        self._id = executor_id
        self._lease_s = lease_s

    def enter(self) -> None:
        """Write this process into the register."""
        me = psutil.Process()
        with self._database.write() as connection:
            connection.execute(sa.delete(executors).where(executors.c.id == self._id))
            connection.execute(
                sa.insert(executors).values(
                    id=self._id,
                    machine=name_machine(),
                    pid=me.pid,
                    pid_started_s=me.create_time(),
                    seen_s=self._now(),
                )
            )

    def beat(self) -> bool:
        """Say that this process lives; False when others took it for dead, and may have taken over."""
        with self._database.write() as connection:
            changed = connection.execute(
                sa.update(executors).where(executors.c.id == self._id).values(seen_s=self._now())
            )
            return changed.rowcount == 1

    def resign(self) -> None:
        """Let others take this process for dead at once, and go on with what it leaves."""
        with self._database.write() as connection:
            connection.execute(
                sa.update(executors).where(executors.c.id == self._id).values(pid=_NOBODY, seen_s=0.0)
            )

    def list_dead(self) -> list[str]:
        """The processes in the register that live no more."""
        with self._database.read() as connection:
            now_s = connection.execute(sa.select(self._now())).scalar_one()
            rows = connection.execute(sa.select(executors).where(executors.c.id != self._id)).all()
        machine = name_machine()
        return [row.id for row in rows if self._is_dead(row, machine, now_s)]

    def strike(self, executor_id: str) -> None:
        """Take a process out of the register, once nothing of it is left to take over."""
        with self._database.write() as connection:
            connection.execute(sa.delete(executors).where(executors.c.id == executor_id))

    def _is_dead(self, row: sa.Row[tuple[object, ...]], machine: str, now_s: float) -> bool:
        if row.machine == machine:
            # A jump of this machine's clock says nothing about a process that can be asked for.
            return not _lives(row.pid, row.pid_started_s)
        return bool(now_s - row.seen_s > self._lease_s)

    def _now(self) -> sa.ColumnElement[float]:
        if self._database.is_sqlite:
            return sa.literal(time.time(), sa.Float(53))
        # Not `now()`, which is the beginning of the transaction.
        return sa.cast(sa.func.extract("epoch", sa.func.clock_timestamp()), sa.Float(53))


def name_machine() -> str:
    """What tells whether two processes can see each other: the boot of a kernel, and the space of its ids."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return f"{os.uname().nodename}/{psutil.boot_time():.0f}"


def _lives(pid: int, started_s: float) -> bool:
    try:
        process = psutil.Process(pid)
        # A number may be used again, and a clock that was set moves the time of start by as much.
        return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - started_s) < 2.0
    except psutil.Error:
        return False

"""The engine of jobs in one process: a thread that hands what was accepted to DBOS.

The thread also says that this process lives, goes on with what dead processes have left, stops what was
cancelled, and deletes what nobody wants any more.
"""

import asyncio
import logging
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

from configs.jobs import JobsSettings, JobsStage
from deployments.errors import JobsUnavailable, StorageUnavailable
from deployments.jobs import workflows
from deployments.jobs.database import JobDatabase
from deployments.jobs.durable import DurableWork
from deployments.jobs.executors import Executors
from deployments.jobs.progress import JobProgress
from deployments.jobs.session import FileSession, JobParts
from deployments.jobs.storage import JobStorage
from deployments.jobs.sweeping import Sweeper
from deployments.jobs.telling import EventTeller
from deployments.jobs.work import JobWork
from deployments.metric_table import Recorder

logger = logging.getLogger(__name__)

# While documents are read, which may be cancelled by way of another process, and else. A new job wakes us.
_LOOK_S, _IDLE_LOOK_S = 0.5, 2.0
_BEAT_S = 2.0
_RESTART_S = 5.0
_SWEEP_S = 20.0
_STATES = ("queued", "running", "partial", "done", "failed", "cancelled", "expired")


class JobEngine:
    """Reads the files of jobs with ``work``; one in a process.

    ``start`` returns at once: where the database or the storage cannot be used yet, they are tried again.
    """

    def __init__(self, settings: JobsSettings, stage: JobsStage, work: JobWork, recorder: Recorder) -> None:
        self.pages_in_flight = stage.pages_in_flight
        self._settings = settings
        self._recorder = recorder
        self._database = JobDatabase(settings.database_url.get_secret_value())
        self._id = f"{uuid.uuid4().hex}"
        self._executors = Executors(self._database, self._id)
        self._durable = DurableWork(self._database, self._id, stage.files_at_once)
        self._progress = JobProgress(self._database, settings.ttl_s)
        self._storage = JobStorage(settings.storage_url)
        self._parts = JobParts(
            self._progress,
            self._storage,
            work,
            recorder,
            asyncio.Semaphore(stage.pages_in_flight),
            stage.pages_in_flight,
        )
        self._teller = EventTeller(self._database, settings, work.post)
        self._sweeper = Sweeper(self._database, self._storage, settings.ttl_s)
        self._sessions: dict[str, set[FileSession]] = defaultdict(set)
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._is_lost = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._heart = threading.Thread(target=self._beat, name="jobs-heart", daemon=True)

    def start(self) -> None:
        """Begin to look for jobs."""
        self._thread.start()

    def stop(self) -> None:
        """End; files under way go on in the process that comes next."""
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout=30)

    def wake(self) -> None:
        """Look for something to do at once."""
        self._wake.set()

    def check_health(self) -> None:
        """Raise when others took this process for dead, so that it ends."""
        if self._is_lost:
            raise RuntimeError("other processes have taken over the jobs of this one")

    def open_session(self, job_id: str, place: int) -> FileSession:
        """See `deployments.jobs.workflows.Engine`."""
        self._loop = asyncio.get_running_loop()
        session = FileSession(self._parts, job_id, place)
        self._sessions[job_id].add(session)
        return session

    async def close_session(self, session: FileSession) -> None:
        """See `deployments.jobs.workflows.Engine`."""
        self._sessions[session.job_id].discard(session)
        if not self._sessions[session.job_id]:
            del self._sessions[session.job_id]
        await session.release()

    async def tell(self, event_id: str, attempt: int) -> float | None:
        """See `deployments.jobs.workflows.Engine`."""
        return await self._teller.tell(event_id, attempt)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._prepare()
                break
            except Exception as error:
                # Its text may hold an address with a password.
                logger.error("jobs cannot start yet: %s", type(error).__name__)
                logger.debug("cause", exc_info=True)
                self._durable.end()
                self._stop.wait(_RESTART_S)
        rounds = _Rounds(
            {self._look_around: _BEAT_S, self._sweep: self._sweep_every_s(), self._sweep_orphans: 3_600.0}
        )
        while not self._stop.is_set() and not self._is_lost:
            self._wake.clear()
            try:
                self._dispatch()
                self._stop_cancelled()
                rounds.go()
            except (JobsUnavailable, StorageUnavailable):
                # Said in the log by whoever raised it.
                self._stop.wait(_RESTART_S)
            except Exception as error:
                logger.error("the keeper of jobs failed with %s", type(error).__name__)
                logger.debug("cause", exc_info=True)
                self._stop.wait(_RESTART_S)
            self._wake.wait(_LOOK_S if self._sessions else _IDLE_LOOK_S)
        self._durable.end()
        self._leave()

    def _prepare(self) -> None:
        self._executors.enter()
        # A thread of its own: whatever takes long in the other one, this process lives.
        if not self._heart.is_alive():
            self._heart.start()
        self._durable.prepare()

    def _beat(self) -> None:
        while not self._stop.wait(_BEAT_S) and not self._is_lost:
            try:
                self._is_lost = not self._executors.beat()
            except JobsUnavailable:
                # Said in the log by whoever raised it.
                continue
        if self._is_lost:
            logger.error("other processes have taken over the jobs of this one")

    def _look_around(self) -> None:
        for executor_id in self._executors.list_dead():
            logger.warning("going on with the jobs of a process that ended: %s", executor_id)
            self._durable.launch(self)
            DBOS._recover_pending_workflows([executor_id])
            self._executors.strike(executor_id)
        states = self._progress.count_states()
        for state in _STATES:
            self._recorder.set("ocr_jobs", states.get(state, 0), state=state)
        waiting = self._progress.count_waiting_files()
        self._recorder.set("ocr_job_files_waiting", waiting)
        if waiting:
            self._durable.launch(self)
        self._durable.set_pace(is_busy=waiting > 0)

    def _dispatch(self) -> None:
        jobs, events = self._progress.list_undispatched(), self._teller.list_waiting()
        if not jobs and not events:
            return
        self._durable.launch(self)
        for job_id, files_total in jobs:
            for place in range(files_total):
                # The first files of all jobs come before the second ones: no job waits for a whole other one.
                with (
                    SetWorkflowID(workflows.name_file_workflow(job_id, place)),
                    SetEnqueueOptions(priority=place + 1),
                ):
                    DBOS.enqueue_workflow(workflows.FILES_QUEUE, workflows.read_file, job_id, place)
            self._progress.note_dispatched(job_id)
        for event_id in events:
            with SetWorkflowID(event_id):
                DBOS.enqueue_workflow(workflows.EVENTS_QUEUE, workflows.tell_event, event_id)
            self._teller.note_dispatched(event_id)
        self._durable.set_pace(is_busy=True)

    def _sweep(self) -> None:
        for removed in asyncio.run(self._sweeper.sweep()):
            self._durable.launch(self)
            names = [
                workflows.name_file_workflow(removed.job_id, place) for place in range(removed.files_total)
            ]
            DBOS.delete_workflows([*names, *removed.event_ids])

    def _sweep_orphans(self) -> None:
        asyncio.run(self._sweeper.sweep_orphans())

    def _sweep_every_s(self) -> float:
        """Often enough for the shortest time that something is kept."""
        return max(0.5, min(_SWEEP_S, self._settings.ttl_s / 10, self._settings.upload_ttl_s / 10))

    def _stop_cancelled(self) -> None:
        loop = self._loop
        if loop is None:
            return
        for job_id in self._progress.list_ended(tuple(self._sessions)):
            for session in tuple(self._sessions.get(job_id, ())):
                loop.call_soon_threadsafe(session.cancel)

    def _leave(self) -> None:
        try:
            if self._durable.is_launched:
                # A file that was being read, or an event that waits to be told again, is still in its name.
                self._executors.resign()
            else:
                self._executors.strike(self._id)
        except JobsUnavailable:
            # The next process finds that this one is dead.
            logger.warning("this process stays in the register of jobs")
        self._database.close()


class _Rounds:
    """Things to do again and again, each after its own time; one that fails waits no shorter."""

    def __init__(self, every_s: Mapping[Callable[[], None], float]) -> None:
        self._every_s = dict(every_s)
        self._due_s = dict.fromkeys(every_s, 0.0)

    def go(self) -> None:
        """Do what is due."""
        for task, every_s in self._every_s.items():
            if time.monotonic() >= self._due_s[task]:
                self._due_s[task] = time.monotonic() + every_s
                task()

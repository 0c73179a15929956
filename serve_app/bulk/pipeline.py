"""Bulk reading on Ray Data: shards stream from the listing to a pool of actors, and reports stream back."""

import json
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, DataContext, Datasource, ReadTask
from ray.data.block import BlockMetadata

from configs.profile import OPTIONAL_STAGES, AppArgs, Profile
from serve_app.bulk.places import Place
from serve_app.bulk.reader import ShardReader
from serve_app.bulk.shards import Markers, Shard, make_shards
from serve_app.file_reading.report import FileReport
from serve_app.reading_task import ReadingTask

# Less than a core, so that the listing has room beside as many actors as there are cores.
_MOST_CPUS_AN_ACTOR = 0.9
_LISTING_CPUS = 0.05
# Smaller than any shard: each is a block of its own, which goes to an actor as soon as it is listed.
_BLOCK_BYTES = 1


@dataclass(frozen=True)
class BulkJob:
    """What is read, where from and where to, by which profile."""

    source: Place
    out: Place
    task: ReadingTask
    profile: Profile
    args: AppArgs
    files_a_shard: int
    tries_failed: bool


class _Shards(Datasource):
    """The shards of a job that are not done, listed by one task of the cluster."""

    def __init__(self, job: BulkJob) -> None:
        self._job = job

    def get_name(self) -> str:
        return "Shards"

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(
        self,
        parallelism: int,
        per_task_row_limit: int | None = None,
        data_context: DataContext | None = None,
    ) -> list[ReadTask]:
        job = self._job

        def list_shards() -> Iterator[pa.Table]:
            markers = Markers(job.out.open(is_new=True), job.task.fingerprint())
            done = markers.load_done(tries_failed=job.tries_failed)
            for shard in make_shards(job.source.open(), done, job.files_a_shard):
                yield pa.table({"shard": [shard.to_json()]})

        unknown = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        return [ReadTask(list_shards, unknown)]


class _Actor:
    """A member of the pool: rows with a shard in, rows with its reports out."""

    def __init__(self, job: BulkJob) -> None:
        self._reader = ShardReader(job.source, job.out, job.task, job.profile, job.args)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        reports = self._reader.read_shard(Shard.from_json(row["shard"]))
        return {"reports": json.dumps([asdict(report) for report in reports])}


def run_bulk_job(job: BulkJob) -> Iterator[list[FileReport]]:
    """The reports of each shard as it is done. Ray must have been started."""
    context = DataContext.get_current()
    context.target_max_block_size = _BLOCK_BYTES
    context.enable_progress_bars = False
    cpus, gpus = size_actor(job.profile)
    shards = ray.data.read_datasource(_Shards(job), override_num_blocks=1, num_cpus=_LISTING_CPUS)
    # A task more than the one at work waits in each actor; more would wait in vain behind a slow shard.
    most = count_actors(cpus, gpus, ray.cluster_resources())  # type: ignore[no-untyped-call]
    pool = ActorPoolStrategy(min_size=1, max_size=most, max_tasks_in_flight_per_actor=2)
    done = shards.map(_Actor, fn_constructor_args=(job,), compute=pool, num_cpus=cpus, num_gpus=gpus or None)
    rows: Iterable[dict[str, Any]] = done.iter_rows()
    for row in rows:
        yield [FileReport.from_json(values) for values in json.loads(row["reports"])]


def size_actor(profile: Profile) -> tuple[float, float]:
    """CPUs and GPUs of an actor, which has one of each of the profile's models, for Ray's bookkeeping."""
    named = ("orientation", "detection", "recognition", *OPTIONAL_STAGES)
    stages = [stage for name in named if (stage := getattr(profile, name)) is not None]
    gpus = sum(stage.replicas.num_gpus for stage in stages)
    cpus = sum(stage.replicas.num_cpus for stage in stages)
    return min(cpus, _MOST_CPUS_AN_ACTOR) if not gpus else cpus, min(gpus, 1.0)


def count_actors(cpus: float, gpus: float, cluster: dict[str, float]) -> int:
    """How many actors the cluster has room for, one at least."""
    room = (cluster.get("CPU", 1.0) - _LISTING_CPUS) / cpus
    if gpus:
        # Shares of one GPU: two halves of different GPUs make no actor.
        room = min(room, cluster.get("GPU", 0.0) * (1 // gpus))
    return max(1, int(room))


def start_ray() -> None:
    """Connect to the cluster that ``RAY_ADDRESS`` names, else start one on this machine."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    ray.init(
        address=os.environ.get("RAY_ADDRESS") or "local",
        include_dashboard=False,
        logging_level=logging.WARNING,
    )

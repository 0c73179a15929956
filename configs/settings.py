"""Typed settings of the graph: what `serve_config.yaml` may say under ``args``, and what a profile holds."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

EngineName = Literal["openvino", "onnxruntime", "paddle", "fake"]
Precision = Literal["auto", "f32", "bf16"]
LimitType = Literal["min", "max"]


class Settings(BaseModel):
    """Base of all settings: a misspelt key is an error, never a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EngineOptions(Settings):
    """How an engine runs a network.

    ``threads`` is what one replica may use, in cores; ``precision: auto`` takes bfloat16 where the processor
    has it; ``kernel_cache`` is how many kernels OpenVINO keeps for input shapes that it has met, a few dozen
    each; ``static_batch`` compiles OpenVINO's networks for runs of one item, which makes small ones faster,
    and divides larger runs; ``fake_delay_ms`` makes the fake engine as slow as a real one, and
    ``fake_leak_mib`` makes it keep so much memory at each run; a run that finds ``fake_stall_file`` takes it
    away and never ends.
    """

    engine: EngineName = "openvino"
    device: str = "auto"
    threads: PositiveInt = 1
    precision: Precision = "auto"
    kernel_cache: NonNegativeInt = 1000
    static_batch: Literal[1] | None = None
    fake_delay_ms: float = Field(default=0.0, ge=0.0)
    fake_leak_mib: float = Field(default=0.0, ge=0.0)
    fake_stall_file: str | None = None


class BatchKnobs(Settings):
    """Knobs of a stage's batch: `user_config` of its deployment, so a rollout changes them in place.

    ``max_batch_size`` counts in the stage's own unit: pages for the detector, lines of ordinary width (48 x
    320 pixels) for the recogniser. ``batch_wait_timeout_s`` is how long a batch that is not full waits for
    company.
    ``max_items_per_run`` bounds what one run of the network holds (pages, crops): a CPU is fastest with
    one, a GPU with many.

    Background work (jobs) waits until there has been no interactive work for ``background_quiet_s``, yet has
    a batch of its own at least every ``background_patience_s``.
    """

    max_batch_size: PositiveInt = 1
    batch_wait_timeout_s: float = Field(default=0.0, ge=0.0, le=1.0)
    max_items_per_run: PositiveInt = 1
    background_quiet_s: float = Field(default=0.3, ge=0.0, le=60.0)
    background_patience_s: float = Field(default=2.0, gt=0.0, le=600.0)

    def changed_by(self, user_config: Mapping[str, object]) -> "BatchKnobs":
        """These knobs with some of them replaced. Raises `pydantic.ValidationError` for an unknown one."""
        return BatchKnobs.model_validate({**self.model_dump(), **user_config})


class ReplicaOptions(Settings):
    """Where and how often a deployment runs. ``num_replicas: auto`` is one a core of the cluster.

    ``max_surge_percent`` above 0 starts a successor before the old replica stops when a rollout restarts the
    deployment; it needs room for both.

    With ``scale_to_zero_after_s`` the deployment starts with one replica, so that what is wrong with it shows
    at once. It has none when nobody has asked for about so many seconds, and starts again with the next
    request: as many as it needs, up to ``num_replicas``.
    """

    num_replicas: PositiveInt | Literal["auto"] = 1
    scale_to_zero_after_s: float | None = Field(default=None, ge=1.0)
    num_cpus: float = Field(default=0.1, ge=0.0)
    num_gpus: float = Field(default=0.0, ge=0.0)
    max_ongoing_requests: PositiveInt = 16
    max_queued_requests: int = Field(default=-1, ge=-1)
    max_surge_percent: int = Field(default=0, ge=0, le=100)


class MemoryLimits(Settings):
    """Watermarks in MiB over which a replica is replaced, None for no limit; see docs/operations.md.

    ``max_private_mib`` is about resident memory without what processes share (libraries, Ray's object store),
    ``max_gpu_mib`` about what the replica's engine has reserved of its GPU.
    """

    max_private_mib: PositiveInt | None = None
    max_gpu_mib: PositiveInt | None = None


class ModelStage(Settings):
    """A deployment that runs a network.

    A replica whose network has been running for ``stall_after_s`` is taken for stuck, and replaced.
    """

    model: str
    run: EngineOptions = EngineOptions()
    replicas: ReplicaOptions = ReplicaOptions()
    memory: MemoryLimits = MemoryLimits()
    knobs: BatchKnobs = BatchKnobs()
    warm_up: bool = True
    stall_after_s: PositiveFloat = 20.0

    @model_validator(mode="after")
    def _let_batches_fill(self) -> Self:
        # Serve hands a replica no more than this many requests, so a larger batch would never fill.
        if self.replicas.max_ongoing_requests < self.knobs.max_batch_size:
            raise ValueError("max_ongoing_requests must be at least max_batch_size, or batches never fill")
        return self


class DetectionStage(ModelStage):
    """The text detector; the limits resize a page before it is looked at (see docs/api.md)."""

    limit_side_len: PositiveInt = 1600
    limit_type: LimitType = "max"
    max_side_len: PositiveInt = 4000
    thresh: float = Field(default=0.3, ge=0.0, le=1.0)
    box_thresh: float = Field(default=0.6, ge=0.0, le=1.0)
    unclip_ratio: float = Field(default=1.5, ge=0.5, le=5.0)


class RecognitionStage(ModelStage):
    """A text recogniser, with the text-line direction classifier that runs beside it.

    A page's lines go to ``spread`` replicas at once; ``auto`` means all of them. That shortens a page where
    replicas are single threads of a CPU; on a GPU one large batch is better.
    """

    direction_model: str
    spread: PositiveInt | Literal["auto"] = 1
    width_bucket_px: PositiveInt = 32
    max_width_px: PositiveInt = 3200


class OrientationStage(ModelStage):
    """The document orientation classifier; less sure than ``min_confidence``, a page stays as it is."""

    min_confidence: float = Field(default=0.8, ge=0.0, le=1.0)


class LayoutStage(ModelStage):
    """The page layout network.

    Regions less sure than ``min_confidence`` are left out, and of two of a kind that overlap by more than
    ``max_overlap`` (intersection over union) the less sure one.
    """

    min_confidence: float = Field(default=0.4, ge=0.0, le=1.0)
    max_overlap: float = Field(default=0.5, ge=0.0, le=1.0)


class TableStage(ModelStage):
    """The table structure network."""


class UnwarpingStage(ModelStage):
    """The network that makes photographed pages flat."""


class FormulaStage(ModelStage):
    """The network that reads formulas; OpenVINO does not know the loop inside it."""

    run: EngineOptions = EngineOptions(engine="onnxruntime")
    # A long formula is one run of a loop.
    stall_after_s: PositiveFloat = 120.0


class SealStage(ModelStage):
    """The detector of text in seals; thresholds as those of `DetectionStage`, defaults as PaddleX's."""

    limit_side_len: PositiveInt = 736
    limit_type: LimitType = "min"
    max_side_len: PositiveInt = 2048
    thresh: float = Field(default=0.2, ge=0.0, le=1.0)
    box_thresh: float = Field(default=0.6, ge=0.0, le=1.0)
    unclip_ratio: float = Field(default=1.5, ge=0.5, le=5.0)


class RendererStage(Settings):
    """Opens PDF files, and images that are not plain, in ``processes`` processes of each replica.

    Each process may have ``process_memory_mib`` MiB of memory; one in which a page takes longer than
    ``page_timeout_s`` is ended, and the page is at fault.
    """

    replicas: ReplicaOptions = ReplicaOptions()
    memory: MemoryLimits = MemoryLimits()
    max_page_pixels: PositiveInt = 40_000_000
    page_timeout_s: float = Field(default=30.0, gt=0.0)
    processes: PositiveInt = 2
    process_memory_mib: int = Field(default=1024, ge=256)


class DocumentsStage(Settings):
    """Keeps documents that were read, for `/extraction` and for their `document_id`.

    For ``ttl_s`` seconds, up to ``memory_mib`` in memory and ``disk_mib`` in a folder of its node. It has one
    replica: what it keeps, all must see.
    """

    replicas: ReplicaOptions = ReplicaOptions()
    memory: MemoryLimits = MemoryLimits()
    memory_mib: PositiveInt = 256
    disk_mib: NonNegativeInt = 1024
    ttl_s: PositiveFloat = 900.0

    @model_validator(mode="after")
    def _be_one(self) -> Self:
        if self.replicas.num_replicas != 1:
            raise ValueError("documents are kept by one replica: what it keeps, all must see")
        return self


class ExtractionStage(Settings):
    """Finds fields in documents that were read; ``rules_dir`` is a folder with document types of your own."""

    replicas: ReplicaOptions = ReplicaOptions()
    memory: MemoryLimits = MemoryLimits()
    rules_dir: str | None = None


class Limits(Settings):
    """What one request may ask for, and how long it may wait.

    A document that would have to queue for more than ``max_queue_s`` is refused at once (503); the wait is
    predicted from the work at hand and the rate at which it gets done, at first ``pixels_per_s``.
    """

    max_bytes: PositiveInt = 50 * 1024 * 1024
    max_pixels: PositiveInt = 100_000_000
    max_pages: PositiveInt = 500
    pages_in_flight: PositiveInt = 4
    request_timeout_s: float = Field(default=300.0, gt=0.0)
    max_queue_s: float = Field(default=20.0, gt=0.0)
    pixels_per_s: float = Field(default=1_000_000.0, gt=0.0)

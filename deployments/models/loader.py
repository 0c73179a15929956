"""From a stage's settings to a loaded model: resolve the weights, load the engine, join the two."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from configs.catalogue import load_catalogue
from configs.settings import DetectionStage, EngineOptions, ModelStage, OrientationStage, RecognitionStage
from deployments.document import StageInfo
from deployments.engines.base import Engine, NetworkFiles, Shrinking
from deployments.engines.factory import load_engine
from deployments.engines.fake import FAKE_CONFIGS
from deployments.models.detection import DetectionModel
from deployments.models.direction import DirectionModel
from deployments.models.files import ModelFiles
from deployments.models.orientation import OrientationModel
from deployments.models.recognition import RecognitionModel
from deployments.models.store import ModelStore

ModelT = TypeVar("ModelT")


@dataclass(frozen=True)
class Loaded(Generic[ModelT]):
    """A model with what it says of itself, and, on a GPU, what its process has reserved there in bytes."""

    model: ModelT
    info: StageInfo
    read_gpu_bytes: Callable[[], int] | None


def load_detection(stage: DetectionStage) -> Loaded[DetectionModel]:
    """The text detector of a stage. Raises `ModelError`."""
    files, network, engine = _load_network(stage.model, "text_detection", stage.run)
    model = DetectionModel(engine, network.config, stage)
    return _finish(model, _describe("detection", files, engine), engine, stage)


def load_recognition(stage: RecognitionStage) -> Loaded[RecognitionModel]:
    """The text recogniser of a stage with its direction classifier. Raises `ModelError`."""
    _, turning, direction_engine = _load_network(stage.direction_model, "textline_orientation", stage.run)
    direction = DirectionModel(direction_engine, turning.config)
    files, network, engine = _load_network(stage.model, "text_recognition", stage.run)
    model = RecognitionModel(engine, network.config, stage, direction)
    return _finish(model, _describe("recognition", files, engine), engine, stage)


def load_orientation(stage: OrientationStage) -> Loaded[OrientationModel]:
    """The document orientation classifier of a stage. Raises `ModelError`."""
    files, network, engine = _load_network(stage.model, "doc_orientation", stage.run)
    model = OrientationModel(engine, network.config, stage.min_confidence)
    return _finish(model, _describe("orientation", files, engine), engine, stage)


def _load_network(
    name: str, task: str, options: EngineOptions
) -> tuple[ModelFiles | None, NetworkFiles, Engine]:
    if options.engine == "fake":
        network = NetworkFiles(name, task, None, FAKE_CONFIGS[task])
        return None, network, load_engine(network, options)
    files = ModelStore.from_environment(load_catalogue()).resolve(
        name, "paddle" if options.engine == "paddle" else "onnx"
    )
    return files, files.network, load_engine(files.network, options)


def _describe(stage: str, files: ModelFiles | None, engine: Engine) -> StageInfo:
    return StageInfo(
        stage=stage,
        model=files.name if files else "fake",
        version=files.version if files else engine.version,
        sha256=files.sha256 if files else "",
        engine=engine.name,
        engine_version=engine.version,
        device=engine.device,
        precision=engine.precision,
        languages=files.languages if files else ("en",),
        compiled_with_cuda=getattr(engine, "compiled_with_cuda", False),
    )


def _finish(model: ModelT, info: StageInfo, engine: Engine, stage: ModelStage) -> Loaded[ModelT]:
    if stage.warm_up:
        model.warm_up()  # type: ignore[attr-defined]
        if isinstance(engine, Shrinking):
            engine.mark_warm()
    return Loaded(model, info, getattr(engine, "read_gpu_bytes", None))

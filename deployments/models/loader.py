"""From a stage's settings to a loaded model: resolve the weights, load the engine, join the two."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from configs.catalogue import load_catalogue
from configs.settings import (
    DetectionStage,
    EngineOptions,
    FormulaStage,
    LayoutStage,
    ModelStage,
    OrientationStage,
    RecognitionStage,
    SealStage,
    TableStage,
    UnwarpingStage,
)
from deployments.document import StageInfo
from deployments.engines.base import Engine, NetworkFiles
from deployments.engines.factory import load_engine
from deployments.engines.fake import FAKE_CONFIGS
from deployments.engines.metered import MeteredEngine
from deployments.models.decoded_layout import DecodedLayoutModel
from deployments.models.detection import DetectionModel
from deployments.models.direction import DirectionModel
from deployments.models.files import ModelFiles
from deployments.models.formula import FormulaModel
from deployments.models.layout import LayoutModel
from deployments.models.orientation import OrientationModel
from deployments.models.recognition import RecognitionModel
from deployments.models.seal import SealModel
from deployments.models.store import ModelStore
from deployments.models.table import TableModel
from deployments.models.unwarping import UnwarpingModel
from deployments.usage import Usage

ModelT = TypeVar("ModelT")


@dataclass(frozen=True)
class Loaded(Generic[ModelT]):
    """A model with what it says of itself and the counters of its networks.

    ``read_gpu_bytes`` tells what its process has reserved of a GPU.
    """

    model: ModelT
    info: StageInfo
    usage: Usage
    read_gpu_bytes: Callable[[], int] | None


def load_detection(stage: DetectionStage) -> Loaded[DetectionModel]:
    """The text detector of a stage. Raises `ModelError`."""
    usage = Usage()
    files, network, engine = _load_network(stage.model, "text_detection", stage.run, usage)
    model = DetectionModel(engine, network.config, stage)
    return _finish(model, _describe("detection", files, engine), engine, usage, stage)


def load_recognition(stage: RecognitionStage) -> Loaded[RecognitionModel]:
    """The text recogniser of a stage with its direction classifier. Raises `ModelError`."""
    usage = Usage()
    _, network, engine = _load_network(stage.direction_model, "textline_orientation", stage.run, usage)
    direction = DirectionModel(engine, network.config)
    files, network, engine = _load_network(stage.model, "text_recognition", stage.run, usage)
    model = RecognitionModel(engine, network.config, stage, direction, usage)
    return _finish(model, _describe("recognition", files, engine), engine, usage, stage)


def load_orientation(stage: OrientationStage) -> Loaded[OrientationModel]:
    """The document orientation classifier of a stage. Raises `ModelError`."""
    usage = Usage()
    files, network, engine = _load_network(stage.model, "doc_orientation", stage.run, usage)
    model = OrientationModel(engine, network.config, stage.min_confidence)
    return _finish(model, _describe("orientation", files, engine), engine, usage, stage)


def load_layout(stage: LayoutStage) -> Loaded[LayoutModel | DecodedLayoutModel]:
    """The layout network of a stage. Raises `ModelError`."""
    usage = Usage()
    files, network, engine = _load_network(stage.model, "layout_detection", stage.run, usage)
    # PaddleX's detectors decode their boxes themselves, and keep their steps under this name.
    kind = DecodedLayoutModel if "Preprocess" in network.config else LayoutModel
    model = kind(engine, network.config, stage.min_confidence, stage.max_overlap)
    return _finish(model, _describe("layout", files, engine), engine, usage, stage)


def load_table(stage: TableStage) -> Loaded[TableModel]:
    """The table structure network of a stage. Raises `ModelError`."""
    usage = Usage()
    files, network, engine = _load_network(stage.model, "table_structure_recognition", stage.run, usage)
    model = TableModel(engine, network.config)
    return _finish(model, _describe("table", files, engine), engine, usage, stage)


def load_unwarping(stage: UnwarpingStage) -> Loaded[UnwarpingModel]:
    """The network of a stage that makes pages flat. Raises `ModelError`."""
    usage = Usage()
    files, _, engine = _load_network(stage.model, "image_unwarping", stage.run, usage)
    return _finish(UnwarpingModel(engine), _describe("unwarping", files, engine), engine, usage, stage)


def load_formula(stage: FormulaStage) -> Loaded[FormulaModel]:
    """The formula reader of a stage. Raises `ModelError`."""
    usage = Usage()
    files, network, engine = _load_network(stage.model, "formula_recognition", stage.run, usage)
    model = FormulaModel(engine, network.config)
    return _finish(model, _describe("formula", files, engine), engine, usage, stage)


def load_seal(stage: SealStage) -> Loaded[SealModel]:
    """The detector of text in seals of a stage. Raises `ModelError`."""
    usage = Usage()
    files, network, engine = _load_network(stage.model, "seal_text_detection", stage.run, usage)
    model = SealModel(engine, network.config, stage)
    return _finish(model, _describe("seal", files, engine), engine, usage, stage)


def _load_network(
    name: str, task: str, options: EngineOptions, usage: Usage
) -> tuple[ModelFiles | None, NetworkFiles, Engine]:
    if options.engine == "fake":
        network = NetworkFiles(name, task, None, FAKE_CONFIGS[task])
        return None, network, MeteredEngine(load_engine(network, options), usage, options.threads)
    files = ModelStore.from_environment(load_catalogue()).resolve(
        name, "paddle" if options.engine == "paddle" else "onnx"
    )
    return files, files.network, MeteredEngine(load_engine(files.network, options), usage, options.threads)


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


def _finish(
    model: ModelT, info: StageInfo, engine: Engine, usage: Usage, stage: ModelStage
) -> Loaded[ModelT]:
    if stage.warm_up:
        model.warm_up()  # type: ignore[attr-defined]
        # Only some engines have memory to give back.
        if mark_warm := getattr(engine, "mark_warm", None):
            mark_warm()
    return Loaded(model, info, usage, getattr(engine, "read_gpu_bytes", None))

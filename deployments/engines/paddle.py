"""Paddle Inference: runs `inference.json` with its `.pdiparams`, on a GPU or, through oneDNN, on a CPU.

Paddle is no dependency of the service: only a replica whose profile names this engine imports it.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from configs.settings import EngineOptions, Precision
from deployments.document import FloatArray
from deployments.engines.base import NetworkFiles
from deployments.engines.devices import choose_gpu
from deployments.engines.signals import keep_signal_handlers
from deployments.errors import ModelError, ModelMissing

logger = logging.getLogger(__name__)

PADDLE_MISSING = "Paddle is not installed: install requirements/paddle-cpu.txt or use the GPU image."
# Paddle's pool grows on demand: a small start leaves the GPU to the other replicas that share it.
_INITIAL_GPU_POOL_MB = 100
# oneDNN keeps compiled primitives for each input shape it met; without a bound, widths fill the memory.
_ONEDNN_SHAPES = 10
# The level at which PaddleX runs the same networks.
_OPTIMIZATION_LEVEL = 3
_FIRST_BF16_CAPABILITY = (8, 0)
_PRECISION_TYPES = {"f32": "Float32", "f16": "Half", "bf16": "Bfloat16"}


class PaddleEngine:
    """One Paddle predictor; see `deployments.engines.base.Engine`.

    ``precision: auto`` stays in single precision: nobody has measured yet what Paddle's sixteen bits cost in
    accuracy. ``bf16`` takes bfloat16 where the processor or the GPU has it, half precision (``f16``) on older
    GPUs, single precision on older processors.
    Raises `ModelError` when Paddle, the device or the weights are missing or unreadable.
    """

    name = "paddle"

    def __init__(self, files: NetworkFiles, options: EngineOptions) -> None:
        self._model = files.name
        self._program, self._parameters = find_weights(files)
        paddle = self._paddle = _import_paddle()
        self.version = str(paddle.__version__)
        self._threads = options.threads
        self._gpu = choose_gpu(options.device, _count_gpus(paddle))
        if self._gpu is None:
            self.device = "cpu"
            self.precision = _choose_cpu_precision(paddle, options.precision)
        else:
            self.device = f"gpu:{self._gpu}"
            capability = paddle.device.cuda.get_device_capability(self._gpu)
            self.precision = choose_gpu_precision(options.precision, capability)
        self._onednn_proven = self._gpu is not None
        self._predictor = self._create_predictor(onednn=self._gpu is None)

    @property
    def input_count(self) -> int:
        """How many inputs the network has."""
        return len(self._predictor.get_input_names())

    def run(self, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        """Return copies of the outputs in the network's order, for float32 inputs in its order."""
        if self._onednn_proven:
            return _run_predictor(self._predictor, inputs)
        return self._run_first(inputs)

    def read_gpu_bytes(self) -> int:
        """Return what Paddle's pool has reserved of the GPU for all networks of this process, 0 on a CPU."""
        return 0 if self._gpu is None else int(self._paddle.device.cuda.memory_reserved(self._gpu))

    def _run_first(self, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        """Whether oneDNN can run a network shows at its first run, and changes with Paddle's release."""
        try:
            outputs = _run_predictor(self._predictor, inputs)
        except Exception:
            plain = self._create_predictor(onednn=False)
            # Inputs that the network cannot take fail here again, and say nothing about oneDNN.
            outputs = _run_predictor(plain, inputs)
            logger.warning("oneDNN of Paddle %s cannot run %s: it runs without", self.version, self._model)
            self._predictor, self.precision = plain, "f32"
        self._onednn_proven = True
        return outputs

    def _create_predictor(self, onednn: bool) -> Any:
        with keep_signal_handlers():
            from paddle import inference

            config = inference.Config(str(self._program), str(self._parameters))
            if self._gpu is not None:
                precision = getattr(inference.PrecisionType, _PRECISION_TYPES[self.precision])
                config.enable_use_gpu(_INITIAL_GPU_POOL_MB, self._gpu, precision)
                # What goes in and comes out stays float32, whatever the network computes in.
                config.exp_disable_mixed_precision_ops({"feed", "fetch"})
            else:
                config.disable_gpu()
                config.set_cpu_math_library_num_threads(self._threads)
            if onednn:
                config.enable_mkldnn()
                config.set_mkldnn_cache_capacity(_ONEDNN_SHAPES)
                if self.precision == "bf16":
                    config.enable_mkldnn_bfloat16()
            else:
                config.disable_mkldnn()
            # Without the new executor the memory optimiser refuses an `inference.json`.
            config.enable_new_executor()
            config.set_optimization_level(_OPTIMIZATION_LEVEL)
            config.enable_memory_optim()
            config.disable_glog_info()
            try:
                return inference.create_predictor(config)
            except Exception as error:
                raise ModelError(f"Paddle cannot load the model {self._model!r}.") from error


def is_compiled_with_cuda() -> bool:
    """Whether Paddle is installed and built for GPUs; this alone does not mean that it sees one."""
    try:
        return bool(_import_paddle().is_compiled_with_cuda())
    except ModelError:
        return False


def find_weights(files: NetworkFiles) -> tuple[Path, Path]:
    """Find the network's program (`inference.json`, or `inference.pdmodel` of old) and its `.pdiparams`.

    Raises `ModelMissing` for a file that is not there, `ModelError` for a network without Paddle weights.
    """
    weights = files.weights
    if weights is None or weights.suffix not in (".json", ".pdmodel"):
        raise ModelError(f"Model {files.name!r} has no Paddle weights.")
    old_program = weights.with_suffix(".pdmodel")
    program = old_program if old_program.is_file() and not weights.is_file() else weights
    for path in (program, program.with_suffix(".pdiparams")):
        if not path.is_file():
            raise ModelMissing(f"Model {files.name!r} lacks its file {path.name}.")
    return program, program.with_suffix(".pdiparams")


def choose_gpu_precision(asked: Precision, capability: tuple[int, int]) -> str:
    """Choose f32, f16 or bf16 for a GPU of a CUDA compute capability, such as (7, 5) for a T4."""
    if asked != "bf16":
        return "f32"
    return "bf16" if tuple(capability) >= _FIRST_BF16_CAPABILITY else "f16"


def _choose_cpu_precision(paddle: Any, asked: Precision) -> str:
    if asked != "bf16":
        return "f32"
    if paddle.base.core.supports_bfloat16_fast_performance():
        return "bf16"
    logger.info("this processor has no bfloat16: networks run in single precision")
    return "f32"


def _import_paddle() -> Any:
    with keep_signal_handlers():
        try:
            import paddle
            import paddle.inference
        except ModuleNotFoundError as error:
            # A stray folder called `paddle` imports as an empty package: then its submodule is missing.
            if (error.name or "").split(".")[0] != "paddle":
                raise ModelError(f"Paddle cannot be imported: the module {error.name} is missing.") from error
            raise ModelError(PADDLE_MISSING) from error
        except (ImportError, OSError) as error:
            raise ModelError("Paddle is installed, but cannot be imported.") from error
    return paddle


def _count_gpus(paddle: Any) -> int:
    return int(paddle.device.cuda.device_count()) if paddle.is_compiled_with_cuda() else 0


def _run_predictor(predictor: Any, inputs: Sequence[FloatArray]) -> list[FloatArray]:
    for name, array in zip(predictor.get_input_names(), inputs, strict=True):
        predictor.get_input_handle(name).copy_from_cpu(np.ascontiguousarray(array, dtype=np.float32))
    predictor.run()
    return [
        np.asarray(predictor.get_output_handle(name).copy_to_cpu(), dtype=np.float32)
        for name in predictor.get_output_names()
    ]

"""ONNX Runtime: runs `inference.onnx` in single precision, on CPUs everywhere and on NVIDIA's GPUs.

GPUs need the package `onnxruntime-gpu` in place of `onnxruntime` (`requirements/onnx-gpu.in`).
"""

import glob
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from configs.settings import EngineOptions
from deployments.document import FloatArray
from deployments.engines.base import NetworkFiles, StepClasses
from deployments.engines.devices import choose_gpu
from deployments.errors import ModelError

# Severity 3 leaves errors only: some exported networks warn about every constant they fold.
_LOG_ERRORS_ONLY = 3
_CPU = "CPUExecutionProvider"
_CUDA = "CUDAExecutionProvider"


class OnnxRuntimeEngine:
    """One ONNX Runtime session; see `deployments.engines.base.Engine`.

    On a GPU a recogniser ends in the best class of each step, picked there: probabilities of 18,000 classes a
    step are a hundred times what goes in. ``precision: auto`` is then TensorFloat-32 where the GPU has it.
    Raises `ModelError` when the weights or the device are missing.
    """

    name = "onnxruntime"
    device = "cpu"
    precision = "f32"
    classifies_steps = False

    def __init__(self, files: NetworkFiles, options: EngineOptions) -> None:
        import onnxruntime

        if files.weights is None:
            raise ModelError(f"Model {files.name!r} has no ONNX weights.")
        # The session's own severity does not hold while the network is read.
        onnxruntime.set_default_logger_severity(_LOG_ERRORS_ONLY)
        session_options = onnxruntime.SessionOptions()
        session_options.intra_op_num_threads = options.threads
        session_options.inter_op_num_threads = 1
        session_options.log_severity_level = _LOG_ERRORS_ONLY
        # Spinning threads burn the cores that the other replicas of a small machine need.
        session_options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        weights: str | bytes = str(files.weights)
        gpu = choose_gpu(options.device, _count_gpus(onnxruntime))
        if gpu is not None:
            onnxruntime.preload_dlls()
            picking = add_class_picking(str(files.weights)) if files.task == "text_recognition" else None
            self.classifies_steps = picking is not None
            weights = picking or weights
            self.device = f"gpu:{gpu}"
            self.precision = "f32" if options.precision == "f32" else "tf32"
        self._session = onnxruntime.InferenceSession(
            weights, sess_options=session_options, providers=_choose_providers(gpu, self.precision)
        )
        if gpu is not None and _CUDA not in self._session.get_providers():
            raise ModelError(f"ONNX Runtime cannot use the device {options.device!r}.")
        self._input_names = [node.name for node in self._session.get_inputs()]
        self.version = str(onnxruntime.__version__)

    @property
    def input_count(self) -> int:
        """How many inputs the network has."""
        return len(self._input_names)

    def run(self, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        """Outputs in the network's order for float32 inputs in the network's order."""
        feeds = dict(zip(self._input_names, inputs, strict=True))
        return [np.asarray(output) for output in self._session.run(None, feeds)]

    def encode_steps(self, batch: FloatArray) -> StepClasses:
        """Best class of each step with its probability, by a GPU that picks it itself."""
        best, certainty = self.run([batch])
        return StepClasses(np.asarray(best[:, :, 0], np.intp), certainty[:, :, 0])

    def classify_steps(self, encoded: Sequence[StepClasses]) -> list[StepClasses]:
        """As `encode_steps` gave them."""
        return list(encoded)


def add_class_picking(path: str) -> bytes | None:
    """The recogniser at ``path`` with the best class of each step and its probability in place of all.

    None where it does not end in probabilities (N, T, classes) of a softmax. Both outputs, `best` of
    int64 and `certainty` of float32, are (N, T, 1).
    """
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load(path)
    graph = model.graph
    (output,) = graph.output
    last = next((node for node in graph.node if output.name in node.output), None)
    if last is None or last.op_type != "Softmax" or len(output.type.tensor_type.shape.dim) != 3:
        return None
    # The largest of each step, and the first of equal ones, as NumPy's argmax.
    graph.node.append(helper.make_node("TopK", [output.name, "picked_count"], ["certainty", "best"], axis=2))
    graph.initializer.append(helper.make_tensor("picked_count", TensorProto.INT64, [1], [1]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("best", TensorProto.INT64, None))
    graph.output.append(helper.make_tensor_value_info("certainty", TensorProto.FLOAT, None))
    return bytes(model.SerializeToString())


def _choose_providers(gpu: int | None, precision: str) -> list[Any]:
    if gpu is None:
        return [_CPU]
    options = {
        "device_id": str(gpu),
        # Lines and pages come in many shapes: trying every algorithm for each of them takes seconds.
        "cudnn_conv_algo_search": "HEURISTIC",
        # Other replicas share the GPU: doubling the arena at each growth would take it from them.
        "arena_extend_strategy": "kSameAsRequested",
        "use_tf32": "1" if precision == "tf32" else "0",
    }
    return [(_CUDA, options), _CPU]


def _count_gpus(onnxruntime: Any) -> int:
    """How many GPUs a session could run on; Ray shows a replica those that are its own."""
    if _CUDA not in onnxruntime.get_available_providers():
        return 0
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([index for index in visible.split(",") if index.strip()])
    return len(glob.glob("/dev/nvidia[0-9]*"))

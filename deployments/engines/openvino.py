"""OpenVINO: runs `inference.onnx` on CPUs, in bfloat16 where the processor has it.

Bfloat16 halves the time of the recogniser and leaves its accuracy as it is (docs/benchmarks.md). A network
meets every new input shape with a compilation, which is why models warm their shapes up.
"""

import logging
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from configs.settings import EngineOptions
from deployments.document import FloatArray
from deployments.engines.base import NetworkFiles, StepClasses
from deployments.errors import ModelError

logger = logging.getLogger(__name__)


class OpenVinoEngine:
    """One inference request on a compiled network of its own; see `deployments.engines.base.Engine`."""

    name = "openvino"
    device = "cpu"

    def __init__(self, files: NetworkFiles, options: EngineOptions) -> None:
        if files.weights is None:
            raise ModelError(f"Model {files.name!r} has no ONNX weights.")
        core = _load_core()
        self.precision = self._choose_precision(
            core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"), options
        )
        network = core.read_model(str(files.weights))
        cut = cut_softmax(network, self.precision) if files.task == "text_recognition" else None
        self.classifies_steps = cut is not None
        self._compiled = core.compile_model(
            network if cut is None else cut,
            "CPU",
            {
                "INFERENCE_NUM_THREADS": options.threads,
                "NUM_STREAMS": 1,
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": self.precision,
                # Replicas share the machine: pinned, two of them would sit on the same first core.
                "ENABLE_CPU_PINNING": False,
                "CPU_RUNTIME_CACHE_CAPACITY": options.kernel_cache,
            },
        )
        self._request = self._compiled.create_infer_request()
        self._output_count = len(self._compiled.outputs)
        self._largest_values = 0
        self._usual_values: int | None = None
        self.version = version("openvino")

    @staticmethod
    def _choose_precision(capabilities: Sequence[str], options: EngineOptions) -> str:
        if options.precision == "f32" or "BF16" in capabilities:
            return "f32" if options.precision == "f32" else "bf16"
        logger.info("this processor has no bfloat16: networks run in single precision")
        return "f32"

    @property
    def input_count(self) -> int:
        """How many inputs the network has."""
        return len(self._compiled.inputs)

    def run(self, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        """Outputs in the network's order for float32 inputs in the network's order."""
        if self.classifies_steps:
            raise TypeError("this network ends before its probabilities: ask it to classify_steps")
        self._request.infer(list(inputs), share_inputs=True)
        # The request's tensors are overwritten by the next call: what leaves must be a copy.
        outputs = [
            np.array(self._request.get_output_tensor(index).data, dtype=np.float32)
            for index in range(self._output_count)
        ]
        self._shrink_after(inputs)
        return outputs

    def classify_steps(self, inputs: Sequence[FloatArray]) -> StepClasses:
        """Best class of each step with its probability, for a network that ends in logits (N, T, classes)."""
        self._request.infer(list(inputs), share_inputs=True)
        logits = self._request.get_output_tensor(0).data
        # NumPy knows no bfloat16: OpenVINO hands its bits over as those of another two-byte type.
        steps = pick_from_bits(logits.view(np.uint16)) if logits.itemsize == 2 else pick_classes(logits)
        self._shrink_after(inputs)
        return steps

    def mark_warm(self) -> None:
        """Take the largest input so far for the largest usual one: larger ones leave no buffers behind."""
        self._usual_values = self._largest_values

    def _shrink_after(self, inputs: Sequence[FloatArray]) -> None:
        values = max(array.size for array in inputs)
        self._largest_values = max(self._largest_values, values)
        if self._usual_values is not None and values > self._usual_values:
            # Buffers never shrink by themselves: one page of 4000 pixels would keep 2 GB for good.
            self._compiled.release_memory()


@cache
def _load_core() -> Any:
    """OpenVINO, loaded once.

    Its plugin for CPUs sets a stack for signals on the calling thread, and frees it when it is unloaded. With
    two of them the thread is left with a freed one, and the next signal that Python handles ends the process.
    """
    import openvino

    return openvino.Core()


def cut_softmax(network: Any, precision: str) -> Any | None:
    """The network without the softmax over classes at its end, None when there is none.

    Softmax over 18,000 classes, and single precision for its result, are a tenth of a recogniser's time. The
    best class is the same without them, and its probability is needed only where it is no blank.
    """
    from openvino import Model, Type
    from openvino import opset13 as ops

    (result,) = network.get_results()
    last = result.input_value(0).get_node()
    if last.get_type_name() != "Softmax" or last.get_attributes()["axis"] not in (2, -1):
        return None
    logits = last.input_value(0)
    end = ops.result(ops.convert(logits, Type.bf16) if precision == "bf16" else logits)
    return Model([end], network.get_parameters(), network.get_friendly_name())


def pick_from_bits(bits: NDArray[np.uint16]) -> StepClasses:
    """Best classes for logits (N, T, classes) given as the bits of bfloat16 numbers."""
    # As integers, positive floating point numbers have the same order; negative ones have the reverse one.
    best = bits.view(np.int16).argmax(axis=2)
    top = np.take_along_axis(bits, best[:, :, None], axis=2)
    if (top >> 15).any():
        return pick_classes(_widen(bits))
    spoken = best != 0
    return StepClasses(best, _rate(_widen(bits[spoken]), spoken, best))


def pick_classes(logits: FloatArray) -> StepClasses:
    """Best classes for float32 logits (N, T, classes)."""
    best = logits.argmax(axis=2)
    spoken = best != 0
    return StepClasses(best, _rate(np.array(logits[spoken]), spoken, best))


def _widen(bits: NDArray[np.uint16]) -> FloatArray:
    """Single precision for the bits of bfloat16: the same number with sixteen more bits."""
    return np.left_shift(bits, 16, dtype=np.uint32).view(np.float32)


def _rate(logits: FloatArray, spoken: NDArray[np.bool_], best: NDArray[np.intp]) -> FloatArray:
    """Probabilities (N, T) of the best classes, 0 at blanks; overwrites those of the ``spoken``."""
    certainty = np.zeros(best.shape, np.float32)
    if len(logits):
        logits -= logits[np.arange(len(logits)), best[spoken]][:, None]
        # Five times faster than NumPy's own.
        cv2.exp(logits, logits)
        certainty[spoken] = 1.0 / logits.sum(axis=1)
    return certainty

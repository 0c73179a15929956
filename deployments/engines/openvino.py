"""OpenVINO: runs `inference.onnx` on CPUs, in bfloat16 where the processor has it.

Bfloat16 halves the time of the recogniser and leaves its accuracy as it is (docs/benchmarks.md). A network
meets every new input shape with a compilation, which is why models warm their shapes up.
"""

import logging
from collections.abc import Sequence
from functools import cache, partial
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from configs.settings import EngineOptions
from deployments.document import FloatArray
from deployments.engines.base import NetworkFiles, StepClasses, list_operations
from deployments.engines.openvino_graph import cut_classes, flatten_upsampling, take_pixels
from deployments.engines.openvino_steps import StepClassifier
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
        properties = {
            "INFERENCE_NUM_THREADS": options.threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": self.precision,
            # Replicas share the machine: pinned, two of them would sit on the same first core.
            "ENABLE_CPU_PINNING": False,
            "CPU_RUNTIME_CACHE_CAPACITY": options.kernel_cache,
        }
        compile_network = partial(core.compile_model, device_name="CPU", config=properties)
        network = core.read_model(str(files.weights))
        steps = cut_classes(network) if files.task == "text_recognition" else None
        self.takes_pixels = False
        self._classifier = StepClassifier(steps, self.precision, compile_network) if steps else None
        if steps is not None:
            network = steps.body
        elif files.task == "text_detection":
            network = flatten_upsampling(network) or network
            normalize = list_operations(files.config).get("NormalizeImage")
            self.takes_pixels = normalize is not None
            if normalize is not None:
                network = take_pixels(network, normalize["mean"], normalize["std"])
        self._static_batch = options.static_batch
        if self._static_batch is not None:
            _fix_batch(network, self._static_batch)
        self._compiled = compile_network(network)
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

    @property
    def classifies_steps(self) -> bool:
        """Whether this is a recogniser that is to `encode_steps` and `classify_steps` in place of `run`."""
        return self._classifier is not None

    def run(self, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        """Outputs in the network's order for float32 inputs in the network's order."""
        if self.classifies_steps:
            raise TypeError("this network ends before its probabilities: ask it to classify_steps")
        if self.takes_pixels:
            raise TypeError("this network normalises pages itself: ask it to run_pixels")
        return self._run(inputs)

    def run_pixels(self, batch: NDArray[np.uint8]) -> list[FloatArray]:
        """Outputs of a detector for pages (N, H, W, 3), where it ``takes_pixels``."""
        return self._run([batch])

    def encode_steps(self, batch: FloatArray) -> FloatArray:
        """Features (N, T, features) of a recogniser's steps."""
        return self._run([batch])[0]

    def classify_steps(self, encoded: Sequence[FloatArray]) -> list[StepClasses]:
        """Best class of each step with its probability, for features of `encode_steps`."""
        if self._classifier is None:
            raise TypeError("this network makes its probabilities itself: run it")
        return self._classifier.classify(encoded)

    def _run(self, inputs: Sequence[NDArray[Any]]) -> list[FloatArray]:
        if self._static_batch is None or len(inputs[0]) == self._static_batch:
            return self._run_once(inputs)
        items = [self._run_once([array[i : i + 1] for array in inputs]) for i in range(len(inputs[0]))]
        return [np.concatenate(outputs) for outputs in zip(*items, strict=True)]

    def _run_once(self, inputs: Sequence[NDArray[Any]]) -> list[FloatArray]:
        self._request.infer(list(inputs), share_inputs=True, share_outputs=True)
        # The request's tensors are overwritten by the next call: what leaves must be a copy.
        outputs = [
            np.array(self._request.get_output_tensor(index).data, dtype=np.float32)
            for index in range(self._output_count)
        ]
        self._shrink_after(inputs)
        return outputs

    def mark_warm(self) -> None:
        """Take the largest input so far for the largest usual one: larger ones leave no buffers behind."""
        self._usual_values = self._largest_values

    def _shrink_after(self, inputs: Sequence[NDArray[Any]]) -> None:
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


def _fix_batch(network: Any, items: int) -> None:
    """Make the first dimension of each input so many, where the network leaves it open."""
    shapes = {}
    for given in network.inputs:
        shape = given.partial_shape
        if shape.rank.is_static and len(shape) and shape[0].is_dynamic:
            shape[0] = items
        shapes[given] = shape
    network.reshape(shapes)

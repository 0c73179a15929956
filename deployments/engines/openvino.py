"""OpenVINO: runs `inference.onnx` on CPUs, in bfloat16 where the processor has it.

Bfloat16 halves the time of the recogniser and leaves its accuracy as it is (docs/benchmarks.md). A network
meets every new input shape with a compilation, which is why models warm their shapes up.
"""

import logging
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np

from configs.settings import EngineOptions
from deployments.document import FloatArray
from deployments.engines.base import NetworkFiles
from deployments.errors import ModelError

logger = logging.getLogger(__name__)


class OpenVinoEngine:
    """One inference request on a compiled network of its own; see `deployments.engines.base.Engine`."""

    name = "openvino"
    device = "cpu"

    def __init__(self, files: NetworkFiles, options: EngineOptions) -> None:
        import openvino

        if files.weights is None:
            raise ModelError(f"Model {files.name!r} has no ONNX weights.")
        core = openvino.Core()
        self.precision = self._choose_precision(
            core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"), options
        )
        self._compiled = core.compile_model(
            core.read_model(str(files.weights)),
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

    def run(self, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        """Outputs in the network's order for float32 inputs in the network's order."""
        self._request.infer(list(inputs))
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

    def _shrink_after(self, inputs: Sequence[FloatArray]) -> None:
        values = max(array.size for array in inputs)
        self._largest_values = max(self._largest_values, values)
        if self._usual_values is not None and values > self._usual_values:
            # Buffers never shrink by themselves: one page of 4000 pixels would keep 2 GB for good.
            self._compiled.release_memory()

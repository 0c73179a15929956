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
        compiled = core.compile_model(
            core.read_model(str(files.weights)),
            "CPU",
            {
                "INFERENCE_NUM_THREADS": options.threads,
                "NUM_STREAMS": 1,
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": self.precision,
                # Replicas share the machine: pinned, two of them would sit on the same first core.
                "ENABLE_CPU_PINNING": False,
            },
        )
        self._request = compiled.create_infer_request()
        self._output_count = len(compiled.outputs)
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
        return [
            np.array(self._request.get_output_tensor(index).data, dtype=np.float32)
            for index in range(self._output_count)
        ]

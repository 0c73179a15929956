"""ONNX Runtime: runs `inference.onnx` on CPUs, in single precision, everywhere."""

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np

from configs.settings import EngineOptions
from deployments.document import FloatArray
from deployments.engines.base import NetworkFiles
from deployments.errors import ModelError

# Severity 3 leaves errors only: some exported networks warn about every constant they fold.
_LOG_ERRORS_ONLY = 3


class OnnxRuntimeEngine:
    """One ONNX Runtime session; see `deployments.engines.base.Engine`."""

    name = "onnxruntime"
    device = "cpu"
    precision = "f32"

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
        self._session = onnxruntime.InferenceSession(
            str(files.weights), sess_options=session_options, providers=["CPUExecutionProvider"]
        )
        self._input_names = [node.name for node in self._session.get_inputs()]
        self.version = version("onnxruntime")

    @property
    def input_count(self) -> int:
        """How many inputs the network has."""
        return len(self._input_names)

    def run(self, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        """Outputs in the network's order for float32 inputs in the network's order."""
        feeds = dict(zip(self._input_names, inputs, strict=True))
        return [np.asarray(output) for output in self._session.run(None, feeds)]

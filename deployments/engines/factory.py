"""Chooses an engine by name; a backend is imported only by the replica that runs it."""

from configs.settings import EngineName, EngineOptions
from deployments.engines.base import Engine, NetworkFiles


def load_engine(files: NetworkFiles, options: EngineOptions) -> Engine:
    """A loaded engine for one network, for use by one thread.

    Raises `deployments.errors.ModelError` when the weights or the backend are missing.
    """
    if options.engine == "openvino":
        from deployments.engines.openvino import OpenVinoEngine

        return OpenVinoEngine(files, options)
    if options.engine == "onnxruntime":
        from deployments.engines.onnxruntime import OnnxRuntimeEngine

        return OnnxRuntimeEngine(files, options)
    if options.engine == "paddle":
        from deployments.engines.paddle import PaddleEngine

        return PaddleEngine(files, options)
    from deployments.engines.fake import FakeEngine

    return FakeEngine(files, options)


def model_format_of(engine: EngineName) -> str:
    """The format of weights that an engine reads: ``onnx``, ``paddle`` or ``none``."""
    return {"openvino": "onnx", "onnxruntime": "onnx", "paddle": "paddle", "fake": "none"}[engine]

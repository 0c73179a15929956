"""ONNX Runtime on networks that the test builds."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from configs.settings import EngineOptions
from deployments.engines.base import NetworkFiles
from deployments.engines.onnxruntime import OnnxRuntimeEngine, add_class_picking
from deployments.errors import ModelError
from deployments.models.ctc import classify_steps

CLASSES = 7


def save_network(path: Path, last: str) -> Path:
    """Features (N, T, 3) to ``CLASSES`` classes a step; ``last`` is the network's last operation."""
    weights = np.random.default_rng(3).normal(size=(3, CLASSES)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["features", "weights"], ["logits"]),
            helper.make_node(last, ["logits"], ["probabilities"]),
        ],
        "steps",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", "t", 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", "t", CLASSES])],
        [helper.make_tensor("weights", TensorProto.FLOAT, weights.shape, weights.flatten())],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    return path


def test_picked_classes_are_those_of_all_probabilities(tmp_path: Path) -> None:
    """The same best class of each step with the same probability, and nothing else comes out."""
    path = save_network(tmp_path / "inference.onnx", "Softmax")
    features = np.random.default_rng(4).normal(size=(5, 11, 3)).astype(np.float32)
    (probabilities,) = onnxruntime.InferenceSession(str(path)).run(None, {"features": features})

    picked = onnxruntime.InferenceSession(add_class_picking(str(path))).run(None, {"features": features})

    expected = classify_steps(probabilities)
    assert [output.shape for output in picked] == [(5, 11, 1), (5, 11, 1)]
    np.testing.assert_array_equal(picked[0][:, :, 0], expected.best)
    np.testing.assert_allclose(picked[1][:, :, 0], expected.certainty, rtol=1e-6)


def test_a_network_without_probabilities_is_left_as_it_is(tmp_path: Path) -> None:
    """Its steps are classified outside."""
    assert add_class_picking(str(save_network(tmp_path / "inference.onnx", "Relu"))) is None


def test_a_gpu_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """A stage on a CPU that nobody asked for would look like a slow service."""
    files = NetworkFiles("net", "text_recognition", save_network(tmp_path / "inference.onnx", "Softmax"), {})

    with pytest.raises(ModelError, match="sees 0 GPUs"):
        OnnxRuntimeEngine(files, EngineOptions(engine="onnxruntime", device="gpu"))
    engine = OnnxRuntimeEngine(files, EngineOptions(engine="onnxruntime"))
    assert (engine.device, engine.precision, engine.classifies_steps) == ("cpu", "f32", False)

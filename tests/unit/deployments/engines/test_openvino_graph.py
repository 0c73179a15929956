"""Rewritten networks give what the whole ones give, on networks that the tests build."""

from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from openvino import opset13 as ops

from configs.settings import DetectionStage, EngineOptions
from deployments.engines.base import NetworkFiles
from deployments.engines.fake import FAKE_CONFIGS
from deployments.engines.openvino import OpenVinoEngine
from deployments.engines.openvino_graph import build_classifier, cut_classes, flatten_upsampling, take_pixels
from deployments.models.detection import DetectionModel, DetectionRequest
from deployments.models.normalize import ChannelNormalizer

FEATURES, CLASSES = 5, 70
F32 = EngineOptions(precision="f32")


def draw(*shape: int) -> np.ndarray:
    """Weights, the same for the same shape."""
    return np.random.default_rng(shape).normal(size=shape).astype(np.float32)


def make_recogniser(transposed: bool = False, end: str = "softmax") -> openvino.Model:
    """Features of steps, their classes, and an end."""
    image = ops.parameter([-1, -1, FEATURES], np.float32)
    weights = draw(CLASSES, FEATURES) if transposed else draw(FEATURES, CLASSES)
    logits = ops.add(ops.matmul(ops.tanh(image), weights, False, transposed), draw(CLASSES))
    last = ops.softmax(logits, 2) if end == "softmax" else ops.relu(logits)
    return openvino.Model([last], [image], "steps")


def make_detector(steps_px: int = 2, channels: int = 1, between: str = "relu") -> openvino.Model:
    """A convolution, two transposed ones with biases and a sigmoid, as DB networks end."""
    image = ops.parameter([-1, 3, -1, -1], np.float32)
    features = ops.convolution(image, draw(6, 3, 3, 3), [4, 4], [1, 1], [1, 1], [1, 1])

    def enlarge(data: Any, weights: np.ndarray) -> Any:
        strides = [steps_px, steps_px]
        larger = ops.convolution_backprop_data(data, weights, strides, None, [0, 0], [0, 0], [1, 1])
        return ops.add(larger, draw(1, weights.shape[1], 1, 1))

    middle = enlarge(features, draw(6, 4, 2, 2))
    middle = ops.relu(middle) if between == "relu" else ops.tanh(middle)
    return openvino.Model([ops.sigmoid(enlarge(middle, draw(4, channels, 2, 2)))], [image], "map")


def run(model: openvino.Model, data: np.ndarray) -> np.ndarray:
    """What a network says in single precision."""
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.array(compiled([data])[0])


def save(model: openvino.Model, path: Path, task: str) -> NetworkFiles:
    """The files of a network."""
    openvino.save_model(model, path)
    return NetworkFiles("net", task, path, {})


@pytest.mark.parametrize("transposed", [False, True])
def test_body_and_classes_give_the_probabilities_of_the_whole(transposed: bool) -> None:
    """Cut in two before its classes, and joined again."""
    data = draw(2, 9, FEATURES)
    expected = run(make_recogniser(transposed), data)

    steps = cut_classes(make_recogniser(transposed))

    assert steps is not None
    features = run(steps.body, data).reshape(-1, FEATURES)
    logits = run(build_classifier(steps, len(features), "f32"), features)
    softmax = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax /= softmax.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax.reshape(2, 9, CLASSES), expected, rtol=1e-4)


def test_a_recogniser_that_ends_otherwise_is_left_alone() -> None:
    """Nobody knows what its classes are."""
    assert cut_classes(make_recogniser(end="relu")) is None
    assert cut_classes(make_detector()) is None


@pytest.mark.parametrize("pages", [1, 3])
@pytest.mark.parametrize("size", [(32, 32), (64, 96), (20, 36)])
def test_a_detector_with_plain_convolutions_draws_the_same_map(pages: int, size: tuple[int, int]) -> None:
    """Each pixel of each page in its place."""
    model = make_detector()
    page = draw(pages, 3, *size)
    expected = run(model, page)

    flat = flatten_upsampling(model)

    assert flat is not None
    kinds = [node.get_type_name() for node in flat.get_ordered_ops()]
    assert "ConvolutionBackpropData" not in kinds
    np.testing.assert_allclose(run(flat, page), expected, atol=1e-5)


@pytest.mark.parametrize("change", [{"steps_px": 1}, {"channels": 2}, {"between": "tanh"}])
def test_a_detector_that_ends_otherwise_is_left_alone(change: dict[str, Any]) -> None:
    """Overlapping pixels, several maps, or something between the two."""
    assert flatten_upsampling(make_detector(**change)) is None
    assert flatten_upsampling(make_recogniser()) is None


def test_a_network_that_takes_pixels_normalises_them() -> None:
    """As the tables of `ChannelNormalizer` do, each channel by its own mean and deviation."""
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    pages = np.random.default_rng(9).integers(0, 256, (2, 32, 48, 3), np.uint8)
    normalised = np.empty((2, 3, 32, 48), np.float32)
    for page, out in zip(pages, normalised, strict=True):
        ChannelNormalizer(mean, std).fill(page, out)
    expected = run(make_detector(), normalised)
    np.testing.assert_allclose(run(take_pixels(make_detector(), mean, std), pages), expected, atol=1e-4)


def test_the_engine_draws_the_map_of_a_detector_that_it_rewrote(tmp_path: Path) -> None:
    """What the service sees is the network's own answer, from pixels or, without a mean, from numbers."""
    files = save(make_detector(), tmp_path / "net.xml", "text_detection")
    pages = np.random.default_rng(9).integers(0, 256, (2, 64, 96, 3), np.uint8)
    numbers = np.ascontiguousarray(pages.transpose(0, 3, 1, 2), np.float32) / np.float32(255)
    expected = run(openvino.Core().read_model(files.weights), numbers)
    plain = OpenVinoEngine(files, F32)
    assert not plain.takes_pixels
    np.testing.assert_allclose(plain.run([numbers])[0], expected, atol=1e-5)

    says = {"PreProcess": {"transform_ops": [{"NormalizeImage": {"mean": [0, 0, 0], "std": [1, 1, 1]}}]}}
    engine = OpenVinoEngine(NetworkFiles("net", "text_detection", files.weights, says), F32)
    assert engine.takes_pixels
    np.testing.assert_allclose(engine.run_pixels(pages)[0], expected, atol=1e-4)
    with pytest.raises(TypeError, match="run_pixels"):
        engine.run([numbers])


@pytest.mark.parametrize("size", [(64, 96), (70, 110)])
def test_a_detector_model_is_the_same_on_an_engine_that_takes_pixels(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    """Also where pages are resized first, and where several share a run."""
    path = tmp_path / "net.xml"
    save(make_detector(), path, "text_detection")
    config = FAKE_CONFIGS["text_detection"]
    stage = DetectionStage(model="fake")
    requests = [
        DetectionRequest(np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8))
        for seed in (1, 2)
    ]
    maps = []
    for task in ("text_detection", "test"):
        model = DetectionModel(OpenVinoEngine(NetworkFiles("net", task, path, config), F32), config, stage)
        shape = model.choose_size(requests[0])
        maps.append([model.core(model.pre(some, shape)) for some in (requests, requests[:1])])
    for ours, plain in zip(*maps, strict=True):
        np.testing.assert_allclose(ours, plain, atol=1e-4)


@pytest.mark.parametrize("options", [F32, EngineOptions(precision="f32", static_batch=1)])
def test_an_engine_for_one_item_a_run_answers_larger_batches_too(
    tmp_path: Path, options: EngineOptions
) -> None:
    """Knobs change while it runs: a batch is then divided, and comes back whole."""
    files = save(make_detector(), tmp_path / "net.xml", "text_detection")
    page = draw(3, 3, 32, 64)
    (drawn,) = OpenVinoEngine(files, options).run([page])
    expected = run(openvino.Core().read_model(files.weights), page)
    np.testing.assert_allclose(drawn, expected, atol=1e-5)

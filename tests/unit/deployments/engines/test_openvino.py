"""OpenVINO on a network that the test builds."""

import gc
import os
import signal
from pathlib import Path

import numpy as np
import openvino
import pytest
from openvino import opset13 as ops

from configs.settings import EngineOptions
from deployments.engines.base import NetworkFiles
from deployments.engines.openvino import OpenVinoEngine
from deployments.recycling import read_own_private_bytes

MIB = 1024 * 1024
CHANNELS = 32


@pytest.fixture
def engine(tmp_path: Path) -> OpenVinoEngine:
    """Two convolutions of 32 channels over an image of any size, and the mean of what comes out."""
    image = ops.parameter([1, 3, -1, -1], np.float32)
    weights = np.random.default_rng(0).normal(size=(CHANNELS, 3, 3, 3)).astype(np.float32)
    more_weights = np.random.default_rng(1).normal(size=(CHANNELS, CHANNELS, 3, 3)).astype(np.float32)
    sizes = ([1, 1], [1, 1], [1, 1], [1, 1])
    maps = ops.convolution(ops.relu(ops.convolution(image, weights, *sizes)), more_weights, *sizes)
    model = openvino.Model([ops.reduce_mean(maps, np.array([2, 3]), keep_dims=False)], [image], "means")
    path = tmp_path / "inference.xml"
    openvino.save_model(model, path)
    files = NetworkFiles("means", "test", path, {})
    return OpenVinoEngine(files, EngineOptions(precision="f32", kernel_cache=0))


def make_image(side_px: int) -> np.ndarray:
    return np.ones((1, 3, side_px, side_px), np.float32)


def test_buffers_of_an_unusually_large_input_are_given_back(engine: OpenVinoEngine) -> None:
    """They are 128 MiB for each of the maps; usual inputs keep theirs, and every answer stays right."""
    usual = engine.run([make_image(64)])[0]
    engine.mark_warm()
    before = read_own_private_bytes()
    large = engine.run([make_image(1024)])[0]
    assert read_own_private_bytes() - before < 64 * MIB
    assert large.shape == usual.shape == (1, CHANNELS)
    np.testing.assert_allclose(engine.run([make_image(64)])[0], usual, rtol=1e-5)


def test_before_the_end_of_the_warm_up_buffers_are_kept(engine: OpenVinoEngine) -> None:
    """What is met then is usual, and the next input of its size finds the memory ready."""
    engine.run([make_image(64)])
    before = read_own_private_bytes()
    engine.run([make_image(1024)])
    assert read_own_private_bytes() - before > 64 * MIB


@pytest.mark.parametrize("precision", ["f32", "auto"])
def test_a_recogniser_classifies_its_steps_without_making_probabilities(
    tmp_path: Path, precision: str
) -> None:
    """The classes and probabilities of several batches at once are those that the whole network gives."""
    image = ops.parameter([-1, -1, 2], np.float32)
    weights = np.random.default_rng(3).normal(size=(2, 40)).astype(np.float32)
    logits = ops.add(ops.matmul(image, weights, False, False), np.linspace(-1, 1, 40, dtype=np.float32))
    path = tmp_path / "inference.xml"
    openvino.save_model(openvino.Model([ops.softmax(logits, 2)], [image], "steps"), path)
    options = EngineOptions(precision=precision)
    steps_engine = OpenVinoEngine(NetworkFiles("steps", "text_recognition", path, {}), options)
    whole = OpenVinoEngine(NetworkFiles("steps", "test", path, {}), EngineOptions(precision="f32"))
    random = np.random.default_rng(4)
    # Fewer rows, as many as, and more than one run of the classes holds.
    batches = [random.normal(0, 3, shape).astype(np.float32) for shape in ((1, 3, 2), (2, 64, 2), (1, 90, 2))]

    classes = steps_engine.classify_steps([steps_engine.encode_steps(batch) for batch in batches])

    assert steps_engine.classifies_steps
    assert not whole.classifies_steps
    for batch, steps in zip(batches, classes, strict=True):
        probabilities = whole.run([batch])[0]
        assert steps.best.shape == steps.certainty.shape == batch.shape[:2]
        clear = probabilities.max(axis=2) > 0.6
        np.testing.assert_array_equal(steps.best[clear], probabilities.argmax(axis=2)[clear])
        spoken = clear & (steps.best != 0)
        np.testing.assert_allclose(steps.certainty[spoken], probabilities.max(axis=2)[spoken], atol=0.05)
    assert steps_engine.classify_steps([]) == []


def test_an_engine_is_asked_in_its_own_way_alone(engine: OpenVinoEngine, tmp_path: Path) -> None:
    """A network without probabilities has none to give, and one with them has no features."""
    with pytest.raises(TypeError, match="run it"):
        engine.classify_steps([])
    image = ops.parameter([-1, -1, 2], np.float32)
    logits = ops.add(ops.matmul(image, np.ones((2, 40), np.float32), False, False), np.ones(40, np.float32))
    path = tmp_path / "steps.xml"
    openvino.save_model(openvino.Model([ops.softmax(logits, 2)], [image], "steps"), path)
    steps_engine = OpenVinoEngine(NetworkFiles("steps", "text_recognition", path, {}), EngineOptions())
    with pytest.raises(TypeError, match="classify_steps"):
        steps_engine.run([np.ones((1, 3, 2), np.float32)])


def test_a_signal_after_engines_are_gone_is_handled(engine: OpenVinoEngine, tmp_path: Path) -> None:
    """OpenVINO, loaded twice, leaves a freed stack for signals behind, which would end the process."""
    received: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: received.append(number))
    try:
        files = NetworkFiles("means", "test", tmp_path / "inference.xml", {})
        others = [OpenVinoEngine(files, EngineOptions()) for _ in range(2)]
        engine.run([make_image(32)])
        del others[0], others
        gc.collect()
        os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert received == [signal.SIGUSR1]

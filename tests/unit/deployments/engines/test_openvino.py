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
from deployments.engines.openvino import OpenVinoEngine, pick_from_bits
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


@pytest.mark.parametrize("shift", [0.0, -60.0])
def test_classes_are_picked_from_the_bits_of_bfloat16(shift: float) -> None:
    """As from the same numbers in single precision, also where all of them are negative."""
    numbers = np.random.default_rng(2).normal(0, 8, (2, 50, 300)).astype(np.float32) + np.float32(shift)
    numbers[0, :20, 0] = 99 + shift
    bits = (numbers.view(np.uint32) >> 16).astype(np.uint16)
    rounded = (bits.astype(np.uint32) << 16).view(np.float32)
    steps = pick_from_bits(bits)
    np.testing.assert_array_equal(steps.best, rounded.argmax(axis=2))
    softmax = np.exp(rounded - rounded.max(axis=2, keepdims=True))
    softmax /= softmax.sum(axis=2, keepdims=True)
    spoken = steps.best != 0
    np.testing.assert_allclose(steps.certainty[spoken], softmax.max(axis=2)[spoken], rtol=1e-5)
    assert not steps.certainty[~spoken].any()


@pytest.mark.parametrize("precision", ["f32", "auto"])
def test_a_recogniser_classifies_its_steps_without_making_probabilities(
    tmp_path: Path, precision: str
) -> None:
    """The classes and probabilities are those that the whole network gives."""
    image = ops.parameter([1, 2, -1], np.float32)
    weights = np.random.default_rng(3).normal(size=(1, 40, 2)).astype(np.float32)
    logits = ops.transpose(ops.matmul(weights, image, False, False), [0, 2, 1])
    path = tmp_path / "inference.xml"
    openvino.save_model(openvino.Model([ops.softmax(logits, 2)], [image], "steps"), path)
    options = EngineOptions(precision=precision)
    steps_engine = OpenVinoEngine(NetworkFiles("steps", "text_recognition", path, {}), options)
    whole = OpenVinoEngine(NetworkFiles("steps", "test", path, {}), EngineOptions(precision="f32"))
    batch = np.random.default_rng(4).normal(0, 3, (1, 2, 30)).astype(np.float32)
    steps, probabilities = steps_engine.classify_steps([batch]), whole.run([batch])[0]
    assert steps_engine.classifies_steps
    assert not whole.classifies_steps
    with pytest.raises(TypeError, match="classify_steps"):
        steps_engine.run([batch])
    clear = probabilities.max(axis=2) > 0.6
    np.testing.assert_array_equal(steps.best[clear], probabilities.argmax(axis=2)[clear])
    spoken = clear & (steps.best != 0)
    np.testing.assert_allclose(steps.certainty[spoken], probabilities.max(axis=2)[spoken], atol=0.05)


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

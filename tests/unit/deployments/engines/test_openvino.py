"""OpenVINO on a network that the test builds."""

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

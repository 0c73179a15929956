"""Paddle itself: a small real network, loaded and run as the service does it."""

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.settings import EngineOptions
from deployments.document import FloatArray
from deployments.engines.base import NetworkFiles
from deployments.engines.paddle import PaddleEngine
from deployments.errors import ModelError

# The submodule, because this folder's name alone would pass for an empty package called `paddle`.
pytest.importorskip("paddle.inference", reason="Paddle is not installed (requirements/paddle-cpu.txt)")
import paddle

pytestmark = pytest.mark.paddle

OPTIONS = EngineOptions(engine="paddle", device="cpu", threads=1)
SHAPES = [(1, 320), (3, 96), (2, 33), (1, 8), (1, 320)]


class SmallRecognizer(paddle.nn.Layer):  # type: ignore[misc]
    """(N, 3, 48, W) crops -> (N, W, 5) class probabilities: convolution, pooling over the height, linear."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = paddle.nn.Conv2D(3, 8, 3, padding=1)
        self.norm = paddle.nn.BatchNorm2D(8)
        self.pool = paddle.nn.AvgPool2D((48, 1), stride=(48, 1))
        self.linear = paddle.nn.Linear(8, 5)

    def forward(self, x: Any) -> Any:
        """Whatever Paddle's tracer makes of it."""
        features = self.pool(paddle.nn.functional.relu(self.norm(self.convolution(x))))
        return paddle.nn.functional.softmax(self.linear(features.squeeze(2).transpose([0, 2, 1])))


def make_spec() -> Any:
    return paddle.static.InputSpec([-1, 3, 48, -1], "float32", "x")


@pytest.fixture(scope="module")
def network() -> Any:
    paddle.seed(7)
    layer = SmallRecognizer()
    layer.eval()
    return layer


@pytest.fixture(scope="module")
def files(network: Any, tmp_path_factory: pytest.TempPathFactory) -> NetworkFiles:
    folder = tmp_path_factory.mktemp("small")
    paddle.jit.save(network, str(folder / "inference"), input_spec=[make_spec()])
    return NetworkFiles("small", "text_recognition", folder / "inference.json", {})


def make_crops(batch: int, width_px: int) -> FloatArray:
    random = np.random.default_rng(batch * 1000 + width_px)
    return random.uniform(-1, 1, (batch, 3, 48, width_px)).astype(np.float32)


def run_eagerly(network: Any, crops: FloatArray) -> FloatArray:
    with paddle.no_grad():
        return np.asarray(network(paddle.to_tensor(crops)).numpy(), dtype=np.float32)


def test_outputs_are_those_of_the_network_for_every_batch_and_width(
    network: Any, files: NetworkFiles
) -> None:
    """The shapes of the input change from run to run, there and back."""
    engine = PaddleEngine(files, OPTIONS)

    assert (engine.name, engine.device, engine.precision) == ("paddle", "cpu", "f32")
    assert engine.version == paddle.__version__
    for batch, width_px in SHAPES:
        crops = make_crops(batch, width_px)
        (output,) = engine.run([crops])
        assert output.dtype == np.float32
        assert output.shape == (batch, width_px, 5)
        np.testing.assert_allclose(output, run_eagerly(network, crops), atol=1e-5)


def test_a_network_saved_by_an_old_paddle_gives_the_same_outputs(network: Any, tmp_path: Path) -> None:
    """`inference.pdmodel` is what releases before 3.0 wrote."""
    from paddle.pir_utils import OldIrGuard

    # A network of its own: the tracer remembers which program it made of the shared one.
    layer = SmallRecognizer()
    layer.set_state_dict(network.state_dict())
    layer.eval()
    with OldIrGuard():
        paddle.jit.save(layer, str(tmp_path / "inference"), input_spec=[make_spec()])
    assert (tmp_path / "inference.pdmodel").is_file()
    old = NetworkFiles("small", "text_recognition", tmp_path / "inference.json", {})

    engine = PaddleEngine(old, OPTIONS)
    for batch, width_px in SHAPES:
        crops = make_crops(batch, width_px)
        np.testing.assert_allclose(engine.run([crops])[0], run_eagerly(network, crops), atol=1e-5)


def test_an_output_outlives_the_next_run(files: NetworkFiles) -> None:
    """What leaves the engine is a copy."""
    engine = PaddleEngine(files, OPTIONS)
    (first,) = engine.run([make_crops(2, 64)])
    kept = first.copy()
    engine.run([make_crops(2, 64) + 1])

    np.testing.assert_array_equal(first, kept)


def test_an_input_may_be_a_view(network: Any, files: NetworkFiles) -> None:
    """Crops are transposed and sliced without a copy before they get here."""
    crops = make_crops(2, 64)[:, ::-1, :, ::2]
    (output,) = PaddleEngine(files, OPTIONS).run([crops])

    np.testing.assert_allclose(output, run_eagerly(network, np.ascontiguousarray(crops)), atol=1e-5)


def test_two_engines_in_two_threads_agree_with_one(files: NetworkFiles) -> None:
    """Each thread has an engine of its own, loaded there, and runs widths in an order of its own."""
    crops = [make_crops(batch, width_px) for batch, width_px in SHAPES] * 4
    alone = PaddleEngine(files, OPTIONS)
    expected = [alone.run([crop])[0] for crop in crops]

    def run_in_order(order: Sequence[int]) -> dict[int, FloatArray]:
        engine = PaddleEngine(files, OPTIONS)
        return {index: engine.run([crops[index]])[0] for index in order}

    orders = [range(len(crops)), range(len(crops) - 1, -1, -1)]
    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(run_in_order, orders):
            for index, output in result.items():
                np.testing.assert_allclose(output, expected[index], atol=1e-6)


def test_bfloat16_is_told_when_it_is_used(network: Any, files: NetworkFiles) -> None:
    """On a processor without it the network runs in single precision, and the engine says so."""
    engine = PaddleEngine(files, OPTIONS.model_copy(update={"precision": "bf16"}))
    crops = make_crops(2, 96)
    (output,) = engine.run([crops])

    assert engine.precision in ("bf16", "f32")
    np.testing.assert_allclose(output, run_eagerly(network, crops), atol=0.02)


class FailingPredictor:
    """Stands in for a predictor whose oneDNN lacks an operator: it takes its input, then fails to run."""

    def __init__(self, predictor: Any) -> None:
        self.get_input_names = predictor.get_input_names
        self.get_input_handle = predictor.get_input_handle

    def run(self) -> None:
        """Fail as Paddle 3.3 does."""
        raise NotImplementedError("ConvertPirAttribute2RuntimeAttribute")


def test_a_network_that_onednn_cannot_run_runs_without_it(
    network: Any, files: NetworkFiles, caplog: pytest.LogCaptureFixture
) -> None:
    """Some releases of Paddle meet an operator that their oneDNN cannot run, in the first run."""
    engine = PaddleEngine(files, OPTIONS)
    crops = make_crops(2, 96)
    engine._predictor = FailingPredictor(engine._predictor)
    with caplog.at_level(logging.WARNING):
        (output,) = engine.run([crops])

    assert "runs without" in caplog.text
    np.testing.assert_allclose(output, run_eagerly(network, crops), atol=1e-5)


def test_inputs_that_fit_no_network_do_not_cost_onednn(network: Any, files: NetworkFiles) -> None:
    """A first call with four channels fails, and the next one runs."""
    engine = PaddleEngine(files, OPTIONS)
    with pytest.raises(ValueError, match="input_channels"):
        engine.run([np.zeros((1, 4, 48, 32), np.float32)])
    crops = make_crops(1, 32)

    np.testing.assert_allclose(engine.run([crops])[0], run_eagerly(network, crops), atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1}', b"\x00\x01"])
def test_a_broken_program_is_a_model_error(files: NetworkFiles, tmp_path: Path, content: bytes) -> None:
    """The process survives it, and the message holds no path."""
    assert files.weights is not None
    (tmp_path / "inference.json").write_bytes(content)
    (tmp_path / "inference.pdiparams").write_bytes(files.weights.with_suffix(".pdiparams").read_bytes())
    broken = NetworkFiles("broken", "text_recognition", tmp_path / "inference.json", {})

    with pytest.raises(ModelError, match=r"^Paddle cannot load the model 'broken'\.$"):
        PaddleEngine(broken, OPTIONS)


LOAD_AND_STOP = """
import os, signal, sys, threading
from pathlib import Path
from configs.settings import EngineOptions
from deployments.engines.base import NetworkFiles
from deployments.engines.paddle import PaddleEngine

signal.signal(signal.SIGTERM, lambda number, frame: print("stopping gracefully", flush=True))
files = NetworkFiles("small", "text_recognition", Path(sys.argv[1]), {})
options = EngineOptions(engine="paddle", device="cpu")
thread = threading.Thread(target=PaddleEngine, args=(files, options))
thread.start()
thread.join()
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_process_that_loaded_a_network_still_stops_gracefully(files: NetworkFiles) -> None:
    """Importing Paddle takes over SIGTERM; a replica needs it to finish its requests."""
    search_path = os.pathsep.join(path for path in sys.path if path)
    stopped = subprocess.run(
        [sys.executable, "-c", LOAD_AND_STOP, str(files.weights)],
        env={**os.environ, "PYTHONPATH": search_path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert stopped.stdout == "stopping gracefully\n"
    assert stopped.returncode == 0

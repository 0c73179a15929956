"""From the map of a seal to its lines."""

from collections.abc import Sequence

import cv2
import numpy as np

from configs.settings import EngineOptions, SealStage
from deployments.document import FloatArray
from deployments.engines.base import NetworkFiles
from deployments.engines.fake import FAKE_CONFIGS, FakeEngine
from deployments.models.seal import SealModel

SEAL = np.full((300, 300, 3), 255, np.uint8)
STAGE = SealStage(model="fake", limit_side_len=300)


class Drawn(FakeEngine):
    """A network that always sees one map."""

    map: np.ndarray

    def run(self, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        shape = (len(inputs[0]), 1, *inputs[0].shape[2:])
        return [cv2.resize(self.map, shape[:1:-1]).reshape(shape)]


def make_model(probability: np.ndarray) -> SealModel:
    config = FAKE_CONFIGS["seal_text_detection"]
    engine = Drawn(NetworkFiles("fake", "seal_text_detection", None, config), EngineOptions(engine="fake"))
    engine.map = probability.astype(np.float32)
    return SealModel(engine, config, STAGE)


def draw_map(certainty: float = 0.9) -> np.ndarray:
    """A ring from the left over the top to the right, and a line in the middle."""
    drawn = np.zeros((300, 300), np.float32)
    cv2.ellipse(drawn, (150, 150), (115, 115), 0, 180, 360, certainty, 24)
    cv2.rectangle(drawn, (90, 150), (210, 170), certainty, cv2.FILLED)
    return drawn


def test_rings_come_first_laid_flat() -> None:
    """The ring as long as its middle, the line in the middle as it is."""
    ring, line = make_model(draw_map()).find(SEAL)
    height, width = ring.pixels.shape[:2]
    assert width > 0.95 * np.pi * 115
    assert 24 <= height <= 45
    assert not ring.upright
    assert line.pixels.shape[1] > 3 * line.pixels.shape[0]
    assert line.quad[:, 1].min() > 120


def test_what_the_network_doubts_is_left_out() -> None:
    """Pixels above the threshold whose mean is not sure enough are no line."""
    assert make_model(draw_map(0.4)).find(SEAL) == ()
    assert make_model(np.zeros((300, 300))).find(SEAL) == ()

"""The direction classifier's two families of input."""

import numpy as np

from configs.catalogue import load_catalogue
from configs.settings import EngineOptions
from deployments.engines.base import NetworkFiles
from deployments.engines.fake import FAKE_CONFIGS, FakeEngine
from deployments.models.direction import DirectionModel

STRETCHED = FAKE_CONFIGS["textline_orientation"]
ENGINE = FakeEngine(
    NetworkFiles("fake", "textline_orientation", None, STRETCHED), EngineOptions(engine="fake")
)
# (h, w) = (24, 48), BGR: all blue.
CROP = np.zeros((24, 48, 3), np.uint8)
CROP[:, :, 0] = 255


def test_the_first_family_takes_bgr_with_the_aspect_kept() -> None:
    """Padded with zeros at the right."""
    config = load_catalogue().models["ch_ppocr_mobile_v2.0_cls"].config
    assert config is not None
    batch = DirectionModel(ENGINE, config).pre(CROP)
    assert batch.shape == (1, 3, 48, 192)
    assert batch[0, :, 0, 0].tolist() == [1.0, -1.0, -1.0]
    assert not batch[0, :, :, 96:].any()


def test_the_second_family_takes_stretched_rgb() -> None:
    """As `inference.yml` of PP-LCNet says."""
    batch = DirectionModel(ENGINE, STRETCHED).pre(CROP)
    assert batch.shape == (1, 3, 80, 160)
    assert np.ptp(batch, axis=(2, 3)).max() == 0
    red, _, blue = batch[0, :, 0, 0]
    assert blue > 0 > red

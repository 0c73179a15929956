"""The detector on the fake engine, which marks ink."""

import cv2
import numpy as np
import pytest

from configs.settings import BatchKnobs, DetectionStage, EngineOptions
from deployments.document import DetectionOptions
from deployments.engines.base import NetworkFiles
from deployments.engines.fake import FAKE_CONFIGS, FakeEngine
from deployments.models.detection import DetectionModel, DetectionRequest
from deployments.models.normalize import ChannelNormalizer


def make_model(limit_side_len: int = 1600, pages_per_run: int = 4) -> DetectionModel:
    """A detector whose network marks ink."""
    stage = DetectionStage(
        model="fake", limit_side_len=limit_side_len, knobs=BatchKnobs(max_items_per_run=pages_per_run)
    )
    config = FAKE_CONFIGS["text_detection"]
    engine = FakeEngine(NetworkFiles("fake", "text_detection", None, config), EngineOptions(engine="fake"))
    return DetectionModel(engine, config, stage)


def make_page(width: int, height: int, *bars: tuple[int, int, int, int]) -> np.ndarray:
    """A white page with black bars (x0, y0, x1, y1)."""
    page = np.full((height, width, 3), 255, np.uint8)
    for x0, y0, x1, y1 in bars:
        page[y0:y1, x0:x1] = 0
    return page


@pytest.mark.parametrize("limit_side_len", [1600, 320])
def test_quads_are_in_pixels_of_the_page_whatever_the_network_sees(limit_side_len: int) -> None:
    """The resized page's boxes are scaled back: they cover the bar that was drawn."""
    bar = (100, 200, 500, 240)
    lines = make_model(limit_side_len).detect([DetectionRequest(make_page(640, 480, bar))])[0]
    assert lines.quads.shape == (1, 4, 2)
    x0, y0 = lines.quads[0].min(axis=0)
    x1, y1 = lines.quads[0].max(axis=0)
    assert x0 <= bar[0]
    assert y0 <= bar[1]
    assert x1 >= bar[2]
    assert y1 >= bar[3]
    assert (x1 - x0) * (y1 - y0) < 6 * 400 * 40


def test_pages_of_different_shapes_in_one_batch_keep_their_own_lines() -> None:
    """A batch is grouped by shape and answered in order."""
    small, large = (
        make_page(320, 320, (50, 50, 250, 80)),
        make_page(640, 480, (50, 50, 250, 80), (50, 200, 500, 240)),
    )
    empty = make_page(320, 320)
    pages = [small, large, empty, small]
    together = make_model().detect([DetectionRequest(page) for page in pages])
    assert [len(lines.quads) for lines in together] == [1, 2, 0, 1]
    for page, lines in zip(pages, together, strict=True):
        np.testing.assert_array_equal(lines.quads, make_model().detect([DetectionRequest(page)])[0].quads)


def test_a_threshold_of_the_request_wins() -> None:
    """`box_thresh` 1.0 leaves nothing that the network is not certain of all over."""
    page = make_page(640, 480, (100, 200, 500, 240))
    cv2.circle(page, (300, 400), 30, (0, 0, 0), -1)
    strict = DetectionOptions(box_thresh=0.999)
    assert len(make_model().detect([DetectionRequest(page, strict)])[0].quads) < 2
    assert len(make_model().detect([DetectionRequest(page)])[0].quads) == 2


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (31, 31), (33, 33)])
def test_tiny_and_thin_pages_are_looked_at(size: tuple[int, int]) -> None:
    """Nothing is too small to be answered."""
    assert len(make_model().detect([DetectionRequest(make_page(*size))])) == 1


def test_normalising_is_the_arithmetic_of_the_paper_model() -> None:
    """Value / 255, minus the mean, over the standard deviation, a channel."""
    pixels = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    out = np.empty((3, 3, 3), np.float32)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    ChannelNormalizer(mean, std).fill(pixels, out)
    expected = ((pixels / 255.0 - mean) / std).transpose(2, 0, 1)
    np.testing.assert_allclose(out, expected, atol=1e-6)

"""Rings of seals with the real recogniser; the detector, whose weights no package has, is a drawn map."""

import cv2
import numpy as np
import pytest

from configs.profile import AppArgs, load_profile
from configs.settings import EngineOptions, SealStage
from deployments.engines.base import NetworkFiles
from deployments.engines.fake import FAKE_CONFIGS, FakeEngine
from deployments.models.loader import load_recognition
from deployments.models.recognition import RecognitionRequest
from deployments.models.seal import SealModel

pytestmark = pytest.mark.weights

CENTRE, INNER, OUTER = 200, 125, 165


def bend(text: str, start: float, span: float, heads_out: bool) -> tuple[np.ndarray, np.ndarray]:
    """Red text around the middle of a seal, and where it is."""
    width = round(span * (INNER + OUTER) / 2)
    strip = np.full((OUTER - INNER, width, 3), 255, np.uint8)
    (drawn, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 0.9, 2)
    place = ((width - drawn) // 2, 30)
    cv2.putText(strip, text, place, cv2.FONT_HERSHEY_DUPLEX, 0.9, (40, 40, 200), 2, cv2.LINE_AA)
    y, x = np.mgrid[0 : 2 * CENTRE, 0 : 2 * CENTRE].astype(np.float64) - CENTRE
    along = np.mod(np.arctan2(y, x) - start, 2 * np.pi) / span
    across = (OUTER - np.hypot(x, y)) / (OUTER - INNER)
    inside = (along <= 1) & (across >= 0) & (across <= 1)
    if not heads_out:
        along, across = 1 - along, 1 - across
    seal = cv2.remap(
        strip,
        (along * width).astype(np.float32),
        (across * (OUTER - INNER)).astype(np.float32),
        cv2.INTER_LINEAR,
    )
    seal[~inside] = 255
    # A detector marks the core of the text.
    return seal, inside & (np.abs(across - 0.5) < 0.35)


@pytest.mark.parametrize(
    ("start", "span", "heads_out"),
    [
        pytest.param(-np.pi, np.pi, True, id="over the top"),
        pytest.param(0.75 * np.pi, 1.5 * np.pi, True, id="most of the way round"),
        pytest.param(0.1, np.pi - 0.2, False, id="along the bottom"),
    ],
)
def test_a_ring_is_read(start: float, span: float, heads_out: bool) -> None:
    """Word by word, letters heads outwards above and heads inwards below."""
    seal, inside = bend("SEOUL CITY OFFICE 42", start, span, heads_out)

    class Drawn(FakeEngine):
        def run(self, inputs):  # type: ignore[no-untyped-def]
            shape = inputs[0].shape[2:]
            return [cv2.resize(inside.astype(np.float32), shape[::-1])[None, None]]

    config = FAKE_CONFIGS["seal_text_detection"]
    engine = Drawn(NetworkFiles("fake", "seal_text_detection", None, config), EngineOptions(engine="fake"))
    crops = SealModel(engine, config, SealStage(model="fake")).find(seal)
    stage = load_profile(AppArgs(profile="cpu"), 0).recognition
    request = RecognitionRequest(
        tuple(crop.pixels for crop in crops), tuple(not crop.upright for crop in crops)
    )
    (texts,) = load_recognition(stage).model.read([request])
    assert [text.text.replace(" ", "") for text in texts] == ["SEOULCITYOFFICE42"]

"""What the unwarping network is given, and what is made of its answer."""

from collections.abc import Sequence

import numpy as np

from configs.settings import EngineOptions
from deployments.document import FloatArray
from deployments.engines.base import NetworkFiles
from deployments.engines.fake import FakeEngine
from deployments.models.unwarping import UnwarpingModel


class Brighter(FakeEngine):
    """A network that mirrors pages and leaves the range of colours."""

    def run(self, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        return [inputs[0][:, :, :, ::-1] * 1.5 - 0.1]


def make_model(kind: type[FakeEngine] = FakeEngine) -> UnwarpingModel:
    return UnwarpingModel(
        kind(NetworkFiles("fake", "image_unwarping", None, {}), EngineOptions(engine="fake"))
    )


def test_a_flat_page_stays_as_it_is() -> None:
    """Each pixel, the channels in their order."""
    page = np.random.default_rng(7).integers(0, 256, (37, 53, 3), np.uint8)
    assert np.abs(make_model().unwarp(page).astype(int) - page).max() <= 1


def test_the_answer_is_kept_in_range() -> None:
    """Too bright is white and too dark is black; nothing wraps around."""
    page = np.zeros((4, 6, 3), np.uint8)
    page[:, :3] = 255
    flat = make_model(Brighter).unwarp(page)
    assert flat[:, 3:].min() == 255
    assert flat[:, :3].max() == 0


def test_a_page_that_fails_spoils_no_other() -> None:
    """Each answers for itself, and nobody waits for what is not wanted."""
    good, bad = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8)
    answers = make_model().unwarp_each([good, bad, good])
    assert [isinstance(answer, Exception) for answer in answers] == [False, True, False]

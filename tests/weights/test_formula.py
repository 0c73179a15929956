"""The formula reader's steps, which are PaddleX's, around a network that spells what a test says.

No hub is needed: the weights of PP-FormulaNet are not.
"""

from collections.abc import Sequence

import numpy as np
import pytest

from configs.settings import EngineOptions
from deployments.document import FloatArray
from deployments.engines.base import NetworkFiles
from deployments.engines.fake import FAKE_CONFIGS, FakeEngine
from deployments.errors import ModelError
from deployments.models.formula import FormulaModel

pytestmark = pytest.mark.weights

CONFIG = FAKE_CONFIGS["formula_recognition"]


class Speller(FakeEngine):
    """Says these tokens, and keeps what it saw."""

    tokens: Sequence[int]
    seen: FloatArray

    def run(self, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        self.seen = inputs[0]
        return [np.array([self.tokens], np.int64)]  # type: ignore[list-item]


@pytest.fixture
def engine() -> Speller:
    return Speller(NetworkFiles("fake", "formula_recognition", None, CONFIG), EngineOptions(engine="fake"))


def draw_formula() -> np.ndarray:
    page = np.full((60, 400, 3), 255, np.uint8)
    page[20:25, 150:250] = page[35:40, 150:250] = 0
    return page


@pytest.mark.parametrize(
    ("tokens", "latex"),
    [
        ([0, 4, 5, 6, 2], "a+b"),
        ([0, 4, 5, 6, 2, 1, 1, 1], "a+b"),
        ([0, 4, 7, 6, 2], "a^b"),
        ([0, 2], ""),
    ],
)
def test_tokens_become_latex(engine: Speller, tokens: list[int], latex: str) -> None:
    """The marks of the sequence and what fills it up are no part of it."""
    engine.tokens = tokens
    assert FormulaModel(engine, CONFIG).read(draw_formula()) == latex


def test_the_network_sees_the_formula_without_its_margins(engine: Speller) -> None:
    """Grey, in the network's size, and dark where the ink is."""
    engine.tokens = [0, 2]
    FormulaModel(engine, CONFIG).read(draw_formula())
    assert engine.seen.shape == (1, 1, 64, 64)
    assert engine.seen.dtype == np.float32
    # Five times as wide as high, a fifth of the square; half of it is white between the strokes.
    assert 0.05 < float((engine.seen > 0).mean()) < 0.15


def test_one_that_fails_spoils_no_other(engine: Speller) -> None:
    """Each answers for itself."""
    engine.tokens = [0, 4, 2]
    answers = FormulaModel(engine, CONFIG).read_each(
        [draw_formula(), np.zeros((0, 0, 3), np.uint8), draw_formula()]
    )
    assert [answers[0], answers[2]] == ["a", "a"]
    assert isinstance(answers[1], Exception)


@pytest.mark.parametrize("name", ["LaTeXOCRDecode", None])
def test_a_network_of_another_family_is_refused(engine: Speller, name: str | None) -> None:
    """Rather than read with steps that are not its own."""
    with pytest.raises(ModelError):
        FormulaModel(engine, {**CONFIG, "PostProcess": {"name": name, "character_dict": {}}})

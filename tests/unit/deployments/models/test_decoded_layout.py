"""Layout networks that decode their boxes themselves."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from deployments.document import FloatArray
from deployments.errors import ModelError
from deployments.models.decoded_layout import DecodedLayoutModel

LABELS = ["text", "table", "doc_title", "inline_formula", "image"]
CONFIG: dict[str, Any] = {
    "Preprocess": [
        {"type": "Resize", "target_size": [80, 60], "keep_ratio": False, "interp": 2},
        {"type": "NormalizeImage", "mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0], "norm_type": "none"},
        {"type": "Permute"},
    ],
    "label_list": LABELS,
}
PAGE = np.full((400, 200, 3), (0, 51, 255), np.uint8)


class Network:
    """Notes what it is asked and answers with these rows."""

    name, version, device, precision = "test", "1", "cpu", "f32"

    def __init__(self, rows: Sequence[Sequence[float]] = (), input_count: int = 3) -> None:
        self.rows = np.array(rows, np.float32).reshape(len(rows), -1 if rows else 6)
        self.input_count = input_count
        self.inputs: list[FloatArray] = []

    def run(self, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        self.inputs = list(inputs)
        return [self.rows, np.array([len(self.rows)], np.float32)]


def make_model(network: Network, **changed: Any) -> DecodedLayoutModel:
    return DecodedLayoutModel(network, {**CONFIG, **changed}, min_confidence=0.4, max_overlap=0.5)


def test_the_network_is_told_how_much_smaller_it_sees_the_page() -> None:
    """Height first, so that its boxes come back in pixels of the page; the page in RGB from 0 to 1."""
    network = Network()
    make_model(network).find(PAGE)
    size, page, scale = network.inputs
    assert size.tolist() == [[80, 60]]
    assert scale.tolist() == [[pytest.approx(0.2), pytest.approx(0.3)]]
    assert page.shape == (1, 3, 80, 60)
    assert page[0, :, 0, 0].tolist() == [1.0, pytest.approx(0.2), 0.0]


def test_a_network_with_two_inputs_is_not_told_its_own_size() -> None:
    """The small ones of the family know it."""
    network = Network(input_count=2)
    make_model(network).find(PAGE)
    assert [array.shape for array in network.inputs] == [(1, 3, 80, 60), (1, 2)]


def test_regions_come_surest_first_and_within_the_page() -> None:
    """What is less sure than the limit, or nowhere, is left out."""
    sure = [[0, 0.6, 10, 10, 100, 50], [1, 0.9, -5, 100, 500, 200]]
    rows = [*sure, [0, 0.3, 0, 0, 9, 9], [-1, 0.9, 0, 0, 9, 9]]
    regions = make_model(Network(rows)).find(PAGE)
    assert [(region.kind, region.box) for region in regions] == [
        ("table", (0, 100, 200, 200)),
        ("text", (10, 10, 100, 50)),
    ]
    assert regions[0].confidence == pytest.approx(0.9)


def test_of_two_of_a_kind_in_one_place_the_surer_stays() -> None:
    """Another kind may lie in the same place: that is decided with the text."""
    rows = [[0, 0.6, 10, 10, 100, 50], [0, 0.8, 12, 10, 100, 50], [2, 0.5, 10, 10, 100, 50]]
    regions = make_model(Network(rows)).find(PAGE)
    assert [region.kind for region in regions] == ["text", "heading"]
    assert regions[0].confidence == pytest.approx(0.8)


def test_parts_of_a_line_are_no_regions() -> None:
    """A formula within a line belongs to its text."""
    assert make_model(Network([[3, 0.9, 10, 10, 30, 20]])).find(PAGE) == ()


def test_the_order_of_a_network_that_knows_it_is_kept() -> None:
    """PP-DocLayoutV3 gives it in a seventh column."""
    rows = [[0, 0.9, 10, 200, 100, 250, 1, 0], [2, 0.8, 10, 10, 100, 50, 0, 0]]
    assert [region.order for region in make_model(Network(rows)).find(PAGE)] == [1, 0]
    assert make_model(Network([[0, 0.9, 10, 10, 100, 50]])).find(PAGE)[0].order is None


@pytest.mark.parametrize(
    "changed",
    [
        {"label_list": ["text", "unheard_of"]},
        {"Preprocess": [{"type": "Resize", "target_size": [8, 8]}]},
        {"Preprocess": [{**CONFIG["Preprocess"][0], "keep_ratio": True}, *CONFIG["Preprocess"][1:]]},
    ],
)
def test_a_network_that_is_not_understood_is_refused_when_it_is_loaded(changed: dict[str, Any]) -> None:
    """Not with wrong regions at the first page."""
    with pytest.raises(ModelError):
        make_model(Network(), **changed)

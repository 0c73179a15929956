"""The recogniser on the fake engine, whose text is a digest of the crop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.settings import BatchKnobs, EngineOptions, RecognitionStage
from deployments.document import FloatArray
from deployments.engines.base import Engine, NetworkFiles
from deployments.engines.fake import FAKE_CONFIGS, FakeEngine
from deployments.engines.metered import MeteredEngine
from deployments.models.direction import DirectionModel
from deployments.models.recognition import RecognitionModel, RecognitionRequest, cost_of_request
from deployments.usage import Usage


def make_fake(task: str) -> FakeEngine:
    """The fake network of a task."""
    return FakeEngine(NetworkFiles("fake", task, None, FAKE_CONFIGS[task]), EngineOptions(engine="fake"))


def make_direction(engine: Engine) -> DirectionModel:
    """A classifier on this engine."""
    return DirectionModel(engine, FAKE_CONFIGS["textline_orientation"])


def make_model(crops_per_run: int = 1) -> RecognitionModel:
    """A recogniser that runs so many crops at a time."""
    stage = RecognitionStage(
        model="fake", direction_model="fake", knobs=BatchKnobs(max_items_per_run=crops_per_run)
    )
    direction = make_direction(make_fake("textline_orientation"))
    return RecognitionModel(make_fake("text_recognition"), FAKE_CONFIGS["text_recognition"], stage, direction)


def make_crop(seed: int, width: int, height: int = 32) -> np.ndarray:
    """Noise that is the same for the same seed."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def ask(*crops: np.ndarray, direction: str = "off") -> RecognitionRequest:
    """A page with these crops."""
    return RecognitionRequest(crops, (False,) * len(crops), direction)  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None)
@given(
    pages=st.lists(
        st.lists(st.tuples(st.integers(0, 99), st.integers(1, 400)), max_size=5), min_size=1, max_size=4
    ),
    crops_per_run=st.integers(1, 8),
)
def test_a_text_never_depends_on_its_batch(pages: list[list[tuple[int, int]]], crops_per_run: int) -> None:
    """Any mix of pages gives each crop the text that it has alone."""
    requests = [ask(*(make_crop(seed, width) for seed, width in page)) for page in pages]
    together = make_model(crops_per_run).read(requests)
    alone = [[make_model().read([ask(crop)])[0][0] for crop in request.crops] for request in requests]
    assert together == alone


def test_width_is_that_of_the_crops_own_bucket() -> None:
    """A short word is not padded to the width of a line."""
    model = make_model()
    assert model.choose_width(make_crop(0, 30, 48)) == 32
    assert model.choose_width(make_crop(0, 33, 48)) == 64
    assert model.choose_width(make_crop(0, 9000, 48)) == 3200
    assert model.choose_width(make_crop(0, 1, 900)) == 32


def test_long_lines_share_a_few_wide_buckets() -> None:
    """Every shape costs memory for good, and long lines are rare."""
    model = make_model()
    assert model.choose_width(make_crop(0, 1280, 48)) == 1280
    assert model.choose_width(make_crop(0, 1281, 48)) == 1600
    assert len({model.choose_width(make_crop(0, width, 48)) for width in range(1281, 9000, 97)}) == 6


def test_the_warm_up_meets_every_width_the_widest_first() -> None:
    """After it no line brings a shape that the network has not met."""
    engine = ShapeRecorder(make_fake("text_recognition"))
    stage = RecognitionStage(model="fake", direction_model="fake")
    direction = make_direction(make_fake("textline_orientation"))
    model = RecognitionModel(engine, FAKE_CONFIGS["text_recognition"], stage, direction)
    model.warm_up()
    met = [shape[3] for shape in engine.shapes]
    assert met == sorted(met, reverse=True)
    assert {model.choose_width(make_crop(0, width, 48)) for width in range(1, 9000, 31)} == set(met)


class ShapeRecorder:
    """Passes on to an engine and keeps the shapes of its inputs."""

    name = version = device = precision = "test"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.shapes: list[tuple[int, ...]] = []

    def run(self, inputs: list[FloatArray]) -> list[FloatArray]:
        self.shapes.append(inputs[0].shape)
        return self._engine.run(inputs)


def test_crops_are_normalised_to_minus_one_to_one_and_padded_with_zero() -> None:
    """White is 1, black is -1, and what is right of the crop is 0."""
    white = np.full((48, 20, 3), 255, np.uint8)
    batch = make_model().pre([white], 32)
    assert batch.shape == (1, 3, 48, 32)
    assert batch[0, :, :, :20].min() == pytest.approx(1.0)
    assert not batch[0, :, :, 20:].any()


class FlippingEngine:
    """A direction network that finds every line upside down."""

    name = version = device = precision = "test"

    def run(self, inputs: list[FloatArray]) -> list[FloatArray]:
        return [np.array([[0.0, 1.0]], np.float32)]


def test_direction_auto_asks_only_about_lines_that_stood_on_their_side() -> None:
    """An ordinary line is not put in doubt; a sideways one is turned when the network says so."""
    stage = RecognitionStage(model="fake", direction_model="fake")
    direction = make_direction(FlippingEngine())
    model = RecognitionModel(
        make_fake("text_recognition"), FAKE_CONFIGS["text_recognition"], stage, direction
    )
    crop = make_crop(1, 100)
    request = RecognitionRequest((crop, crop), (False, True), "auto")
    upright, turned = model.read([request])[0]
    assert not upright.flipped
    assert turned.flipped
    assert turned.text == model.read([ask(np.rot90(crop, 2).copy())])[0][0].text


class LetterEngine:
    """A recogniser that reads a letter where the crop's left end is dark, and nothing elsewhere."""

    name = version = device = precision = "test"

    def run(self, inputs: list[FloatArray]) -> list[FloatArray]:
        output = np.zeros((len(inputs[0]), 4, 18), np.float32)
        dark = inputs[0][:, :, :, :8].mean(axis=(1, 2, 3)) < 0
        output[~dark, :, 0] = 1.0
        output[dark, 0, 1] = 1.0
        output[dark, 1:, 0] = 1.0
        return [output]


def test_direction_auto_tries_a_line_that_reads_as_nothing_the_other_way_up() -> None:
    """Upside down the line says nothing; turned it says something, and is marked as flipped."""
    stage = RecognitionStage(model="fake", direction_model="fake")
    direction = make_direction(FlippingEngine())
    model = RecognitionModel(LetterEngine(), FAKE_CONFIGS["text_recognition"], stage, direction)
    upright = np.full((48, 32, 3), 255, np.uint8)
    upright[:, :8] = 0
    upside_down = np.rot90(upright, 2).copy()
    texts = model.read([RecognitionRequest((upright, upside_down), (False, False), "auto")])[0]
    assert [(text.text, text.flipped) for text in texts] == [("0", False), ("0", True)]
    untouched = model.read([RecognitionRequest((upside_down,), (False,), "off")])[0][0]
    assert (untouched.text, untouched.flipped) == ("", False)


def test_a_page_costs_what_its_lines_are_wide() -> None:
    """In ordinary lines; a page without any is not free."""
    assert cost_of_request(ask()) == 1
    assert cost_of_request(ask(make_crop(1, 3200, 48), make_crop(2, 320, 48))) == 11


def test_nobodys_lines_are_not_read() -> None:
    """A page that is left in the middle takes no further run; its neighbour is read as ever."""
    usage = Usage()
    stage = RecognitionStage(model="fake", direction_model="fake")
    engine = MeteredEngine(make_fake("text_recognition"), usage)
    direction = make_direction(make_fake("textline_orientation"))
    model = RecognitionModel(engine, FAKE_CONFIGS["text_recognition"], stage, direction)
    pages = [ask(*(make_crop(seed, 60) for seed in range(5))), ask(make_crop(9, 60))]
    alone = model.read([pages[1]])[0][0].text
    runs = usage.runs
    answers = model.read(pages, lambda page: page == 1 or usage.runs < runs + 2)
    assert usage.runs == runs + 3
    assert answers[1][0].text == alone


def test_a_page_without_lines_has_no_texts() -> None:
    """An empty page among others keeps its place."""
    crop = make_crop(5, 60)
    assert [len(texts) for texts in make_model().read([ask(crop), ask(), ask(crop)])] == [1, 0, 1]

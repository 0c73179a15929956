"""Options of a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from deployments.document import ReadOptions
from serve_app.options import OPTION_ALIASES, OcrOptions, StructureOptions, format_pages, parse_pages


def test_no_options_are_the_stages_own_defaults() -> None:
    """A caller that chooses nothing gets what `ReadOptions` says."""
    assert OcrOptions().to_read_options() == ReadOptions()


def test_every_option_reaches_the_stages() -> None:
    """All values arrive, with pages as numbers."""
    chosen = {
        "lang": "en",
        "orientation": False,
        "direction": "on",
        "words": True,
        "dpi": 300,
        "det_thresh": 0.25,
        "det_box_thresh": 0.5,
        "det_unclip_ratio": 2.0,
        "det_limit_side_len": 960,
        "det_limit_type": "min",
        "rec_score_thresh": 0.75,
    }
    expected = ReadOptions(**chosen, pages=(1, 2, 7))
    assert OcrOptions.model_validate({**chosen, "pages": "7,1-2"}).to_read_options() == expected


def test_texts_as_a_form_sends_them_are_understood() -> None:
    """Numbers and switches may come as text."""
    options = OcrOptions.model_validate(
        {"words": "true", "dpi": "150", "det_thresh": "0.4", "orientation": "0"}
    )
    assert (options.words, options.dpi, options.det_thresh, options.orientation) == (True, 150, 0.4, False)


@pytest.mark.parametrize(("alias", "name"), OPTION_ALIASES.items())
def test_paddleocrs_names_are_accepted(alias: str, name: str) -> None:
    """Clients of PaddleOCR keep their option names."""
    value = {"det_limit_type": "min", "det_limit_side_len": 64}.get(name, 1)
    kind = OcrOptions if name in OcrOptions.model_fields else StructureOptions
    assert getattr(kind.model_validate({alias: value}), name) == {"direction": "on"}.get(name, value)


@pytest.mark.parametrize(
    ("sent", "direction"), [(True, "on"), ("true", "on"), (False, "off"), ("False", "off"), ("auto", "auto")]
)
def test_the_line_direction_may_be_a_switch(sent: object, direction: str) -> None:
    """PaddleOCR knows on and off only."""
    assert OcrOptions.model_validate({"use_textline_orientation": sent}).direction == direction


def test_null_means_the_servers_own_value() -> None:
    """PaddleOCR's clients send null for what they do not choose."""
    assert OcrOptions.model_validate({"use_doc_orientation_classify": None, "lang": None}) == OcrOptions()


def test_one_option_under_two_names_is_refused() -> None:
    """Nobody could say which of the two counts."""
    with pytest.raises(ValidationError, match="words is given twice"):
        OcrOptions.model_validate({"words": True, "return_word_box": False})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nonsense", 1),
        ("nonsense", None),
        ("dpi", 35),
        ("dpi", 601),
        ("dpi", ""),
        ("det_thresh", 1.01),
        ("det_thresh", "nan"),
        ("det_box_thresh", -0.1),
        ("det_unclip_ratio", 0.4),
        ("det_unclip_ratio", 5.1),
        ("det_limit_side_len", 31),
        ("det_limit_side_len", 4001),
        ("det_limit_type", "mean"),
        ("rec_score_thresh", 2),
        ("direction", "sideways"),
        ("words", "perhaps"),
        ("lang", ""),
        ("lang", "e n"),
    ],
)
def test_unknown_options_and_values_out_of_range_are_refused(name: str, value: object) -> None:
    """A misspelt option never turns into a silent default."""
    with pytest.raises(ValidationError):
        OcrOptions.model_validate({name: value})


@pytest.mark.parametrize(
    ("sent", "kept", "numbers"),
    [
        ("1-3,7", "1-3,7", (1, 2, 3, 7)),
        (" 7, 3 ,1-2 ", "1-3,7", (1, 2, 3, 7)),
        ("2,2,1-2", "1-2", (1, 2)),
        ([5, 4], "4-5", (4, 5)),
        (9, "9", (9,)),
        ("1-10000", "1-10000", tuple(range(1, 10_001))),
    ],
)
def test_pages_are_sorted_and_unique(sent: object, kept: str, numbers: tuple[int, ...]) -> None:
    """Any way of naming pages gives the same shortest text and rising numbers."""
    options = OcrOptions.model_validate({"pages": sent})
    assert options.pages == kept
    assert options.to_read_options().pages == numbers


@pytest.mark.parametrize(
    "sent", ["", ",", "0", "3-1", "1-", "-1", "a", "1;2", "²", "1-10001", "1-999999999", "1" * 5000]
)
def test_pages_that_make_no_sense_are_refused(sent: str) -> None:
    """Neither is a huge range ever expanded."""
    with pytest.raises(ValidationError):
        OcrOptions.model_validate({"pages": sent})


@given(st.sets(st.integers(1, 500), min_size=1))
def test_pages_survive_their_text(numbers: set[int]) -> None:
    """Writing and reading give the same pages."""
    assert parse_pages(format_pages(sorted(numbers))) == tuple(sorted(numbers))

"""Profiles and the arguments of the application."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from configs.catalogue import load_catalogue
from configs.profile import AppArgs, choose_recognizers, load_profile
from configs.settings import BatchKnobs


@pytest.mark.parametrize("name", ["cpu", "gpu-t4", "gpu-onnx"])
def test_the_shipped_profiles_are_valid(name: str) -> None:
    """Every stage may have as many requests on their way as a batch needs."""
    profile = load_profile(AppArgs(profile=name), 0.0, {})
    assert profile.detection.replicas.max_ongoing_requests >= profile.detection.knobs.max_batch_size


@pytest.mark.parametrize(("gpus", "engine"), [(0.0, "openvino"), (1.0, "paddle")])
def test_auto_goes_by_what_the_cluster_has(gpus: float, engine: str) -> None:
    """A GPU in the cluster means the GPU profile."""
    assert load_profile(AppArgs(profile="auto"), gpus, {}).detection.run.engine == engine


def test_the_shares_of_one_gpu_add_up_to_at_most_one() -> None:
    """The whole graph fits a node with one T4."""
    profile = load_profile(AppArgs(profile="gpu-t4"), 1.0, {})
    stages = (profile.orientation, profile.detection, profile.recognition)
    shares = [stage.replicas.num_gpus * int(stage.replicas.num_replicas) for stage in stages]
    assert sum(shares) <= 1.0 + 1e-9


@pytest.mark.parametrize("name", ["cpu", "gpu-t4", "gpu-onnx"])
def test_the_shipped_profiles_name_models_of_the_catalogue(name: str) -> None:
    """Each for its task, and in the format that the engine reads."""
    profile, models = load_profile(AppArgs(profile=name), 0.0, {}), load_catalogue().models
    for model, task, run in (
        (profile.orientation.model, "doc_orientation", profile.orientation.run),
        (profile.detection.model, "text_detection", profile.detection.run),
        (profile.recognition.model, "text_recognition", profile.recognition.run),
        (profile.recognition.direction_model, "textline_orientation", profile.recognition.run),
    ):
        assert models[model].task == task
        assert ("paddle" if run.engine == "paddle" else "onnx") in models[model].formats


def test_overrides_are_merged_key_by_key() -> None:
    """What is not named keeps the profile's value."""
    overrides = {"recognition": {"replicas": {"num_replicas": 3}}, "limits": {"max_pages": 7}}
    profile = load_profile(AppArgs(profile="cpu", overrides=overrides), 0.0, {})
    assert profile.recognition.replicas.num_replicas == 3
    assert profile.recognition.replicas.num_cpus == 0.55
    assert profile.limits.max_pages == 7


def test_a_misspelt_key_is_an_error() -> None:
    """Never a silent default."""
    with pytest.raises(ValidationError):
        load_profile(AppArgs(profile="cpu", overrides={"recognition": {"replcas": {}}}), 0.0, {})
    with pytest.raises(ValidationError):
        AppArgs.model_validate({"profil": "cpu"})


def test_a_batch_that_could_never_fill_is_an_error() -> None:
    """Serve hands a replica `max_ongoing_requests` at most."""
    overrides = {"recognition": {"knobs": {"max_batch_size": 65}}}
    with pytest.raises(ValidationError, match="never fill"):
        load_profile(AppArgs(profile="cpu", overrides=overrides), 0.0, {})


def test_what_only_some_requests_need_may_end_while_nobody_asks() -> None:
    """On a laptop; on a GPU node every stage stays."""
    shipped = load_profile(AppArgs(profile="cpu"), 0.0, {})
    assert shipped.list_on_demand() == ("renderer", "layout", "table", "extraction")
    always = {"renderer": {"replicas": {"scale_to_zero_after_s": None}}, "layout": None}
    assert load_profile(AppArgs(profile="cpu", overrides=always), 0.0, {}).list_on_demand() == (
        "table",
        "extraction",
    )
    assert load_profile(AppArgs(profile="gpu-t4"), 1.0, {}).list_on_demand() == ()


@pytest.mark.parametrize("stage", ["ingress", "orientation", "detection", "recognition", "documents", "jobs"])
def test_what_every_request_needs_stays(stage: str) -> None:
    """Nor can what keeps something while nobody asks."""
    overrides = {stage: {"replicas": {"scale_to_zero_after_s": 60}}}
    with pytest.raises(ValidationError, match=f"{stage}: always needed"):
        load_profile(AppArgs(profile="cpu", overrides=overrides), 0.0, {})


def test_an_unknown_profile_names_the_known_ones() -> None:
    """The message says what may be chosen."""
    with pytest.raises(ValueError, match="cpu, gpu-onnx, gpu-t4"):
        load_profile(AppArgs(profile="tpu"), 0.0, {})


def test_a_profile_may_be_a_file(tmp_path: Path) -> None:
    """An operator's own machine, described beside serve_config.yaml."""
    shipped = Path(__file__).parents[3] / "configs" / "profiles" / "cpu.yaml"
    mine = tmp_path / "mine.yaml"
    mine.write_text(shipped.read_text().replace("limit_side_len: 1600", "limit_side_len: 960"))
    assert load_profile(AppArgs(profile=str(mine)), 0.0, {}).detection.limit_side_len == 960


@pytest.mark.parametrize(
    ("value", "warm_up", "extra"),
    [
        ("", True, ()),
        ("true", True, ()),
        ("false", False, ()),
        ("korean_PP-OCRv5_mobile_rec", True, ("korean_PP-OCRv5_mobile_rec",)),
    ],
)
def test_preload_models_switches_the_warm_up_or_names_recognisers(
    value: str, warm_up: bool, extra: tuple[str, ...]
) -> None:
    """One variable, as operators know it."""
    environment = {"PRELOAD_MODELS": value}
    assert load_profile(AppArgs(profile="cpu"), 0.0, environment).recognition.warm_up is warm_up
    assert choose_recognizers(AppArgs(), environment) == extra


def test_one_engine_for_every_network() -> None:
    """`engine` in the arguments wins over the profile's."""
    profile = load_profile(AppArgs(profile="gpu-t4", engine="fake"), 1.0, {})
    assert {stage.run.engine for stage in (profile.orientation, profile.detection, profile.recognition)} == {
        "fake"
    }


def test_a_new_knob_leaves_the_others() -> None:
    """`user_config` names only what changes."""
    knobs = BatchKnobs(max_batch_size=8, max_items_per_run=4).changed_by({"batch_wait_timeout_s": 0.5})
    assert knobs == BatchKnobs(max_batch_size=8, max_items_per_run=4, batch_wait_timeout_s=0.5)
    with pytest.raises(ValidationError):
        knobs.changed_by({"max_batchsize": 3})

"""What the Paddle engine decides before it needs Paddle."""

import sys
from pathlib import Path

import pytest

from configs.settings import EngineOptions
from deployments.engines.base import NetworkFiles
from deployments.engines.paddle import (
    PaddleEngine,
    choose_gpu_precision,
    find_weights,
    is_compiled_with_cuda,
)
from deployments.errors import ModelError, ModelMissing


def make_files(weights: Path | None) -> NetworkFiles:
    return NetworkFiles(name="net", task="text_detection", weights=weights, config={})


def test_without_paddle_the_error_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One public sentence, without a path of this machine."""
    for name in ("inference.json", "inference.pdiparams"):
        (tmp_path / name).touch()
    monkeypatch.setitem(sys.modules, "paddle", None)

    with pytest.raises(ModelError, match=r"install requirements/paddle-cpu\.txt or use the GPU image"):
        PaddleEngine(make_files(tmp_path / "inference.json"), EngineOptions(engine="paddle"))
    assert is_compiled_with_cuda() is False


def test_weights_are_a_program_and_its_parameters(tmp_path: Path) -> None:
    """The new program is preferred; the old one serves where it is all there is."""
    (tmp_path / "inference.pdmodel").touch()
    parameters = tmp_path / "inference.pdiparams"
    parameters.touch()

    assert find_weights(make_files(tmp_path / "inference.json")) == (
        tmp_path / "inference.pdmodel",
        parameters,
    )
    (tmp_path / "inference.json").touch()
    assert find_weights(make_files(tmp_path / "inference.json")) == (tmp_path / "inference.json", parameters)
    assert find_weights(make_files(tmp_path / "inference.pdmodel"))[0] == tmp_path / "inference.pdmodel"


def test_missing_weights_are_named_without_their_folder(tmp_path: Path) -> None:
    """A program without parameters is a missing file; a network of another engine has no Paddle weights."""
    (tmp_path / "inference.json").touch()

    with pytest.raises(ModelMissing, match=r"^Model 'net' lacks its file inference\.pdiparams\.$"):
        find_weights(make_files(tmp_path / "inference.json"))
    for weights in (None, tmp_path / "inference.onnx"):
        with pytest.raises(ModelError, match="no Paddle weights"):
            find_weights(make_files(weights))


def test_sixteen_bits_on_a_gpu_are_those_it_has() -> None:
    """A T4 has no bfloat16; and nobody gets sixteen bits unasked."""
    assert choose_gpu_precision("bf16", (7, 5)) == "f16"
    assert choose_gpu_precision("bf16", (8, 0)) == "bf16"
    assert {choose_gpu_precision(asked, (9, 0)) for asked in ("auto", "f32")} == {"f32"}

"""The models that the images bake in are those of their profiles, and can be had as the images get them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from configs.profile import AppArgs, load_profile
from serve_app.cli import main

from paths import ROOT

pytestmark = pytest.mark.weights

FORMATS = {"paddle": "paddle", "openvino": "onnx", "onnxruntime": "onnx"}


def read_argument(dockerfile: str, name: str) -> list[str]:
    """The words of an ARG's default."""
    text = (ROOT / "cluster" / dockerfile).read_text().replace("\\\n", "")
    found = re.search(rf'^ARG {name}="([^"]*)"$', text, re.MULTILINE)
    assert found is not None
    return found[1].split()


def list_models(profile: str) -> set[tuple[str, str]]:
    """Name and format of every model that the profile's stages load."""
    content = load_profile(AppArgs(profile=profile), 1.0).model_dump()

    def walk(value: Any) -> Iterator[tuple[str, str]]:
        for stage in value.values():
            if isinstance(stage, dict) and isinstance(stage.get("run"), dict):
                model_format = FORMATS[stage["run"]["engine"]]
                for key in ("model", "direction_model"):
                    if stage.get(key):
                        yield stage[key], model_format

    return set(walk(content))


def test_the_cpu_image_bakes_the_models_of_its_profile() -> None:
    assert {(name, "onnx") for name in read_argument("Dockerfile", "MODELS")} == list_models("cpu")


def test_the_gpu_image_bakes_the_models_of_its_profile() -> None:
    baked = {(name, "paddle") for name in read_argument("Dockerfile.gpu", "MODELS")}
    baked |= {(name, "onnx") for name in read_argument("Dockerfile.gpu", "ONNX_MODELS")}
    assert baked == list_models("gpu-t4")


@pytest.mark.parametrize(
    ("dockerfile", "argument"), [("Dockerfile", "MODELS"), ("Dockerfile.gpu", "ONNX_MODELS")]
)
def test_what_packages_carry_is_pulled_without_a_network(
    dockerfile: str, argument: str, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command of the image, into an empty store."""
    names = read_argument(dockerfile, argument)
    command = f"ocr-serve models pull --format onnx ${{{argument}}}"
    assert command in (ROOT / "cluster" / dockerfile).read_text()
    monkeypatch.setenv("OCR_MODELS_DIR", str(tmp_path))
    monkeypatch.setenv("OCR_MODELS_HUB", "off")
    assert main(["models", "pull", "--format", "onnx", *names]) == 0
    assert {path.parent.name for path in tmp_path.glob("*/onnx")} == set(names)

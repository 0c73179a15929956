"""The weights that installed packages carry."""

import json
from pathlib import Path

import pytest

from configs.catalogue import load_catalogue
from deployments.models.store import ModelStore
from serve_app.cli import main

pytestmark = pytest.mark.weights


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of its own, and no hub."""
    monkeypatch.setenv("OCR_MODELS_DIR", str(tmp_path))
    monkeypatch.setenv("OCR_MODELS_HUB", "off")
    return tmp_path


def test_the_recognisers_alphabet_is_complete(environment: Path) -> None:
    """It comes out of the network's own metadata."""
    files = ModelStore.from_environment(load_catalogue()).resolve("PP-OCRv6_small_rec", "onnx")
    characters = files.config["PostProcess"]["character_dict"]
    assert len(characters) == 18708
    assert {"A", "z", "0", "中", "あ", "é"} <= set(characters)


def test_verify_finds_the_default_models_sound(environment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`ocr-serve models verify` checks what is installed and says so by its exit status."""
    assert main(["models", "verify", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["state"] for row in rows} == {"sound"}
    assert len(rows) == 6


def test_verify_and_pull_report_what_is_wrong(environment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An unpinned model that changed is corrupt; one that no place has is missing, with the way to get it."""
    assert main(["models", "pull", "korean_PP-OCRv5_mobile_rec"]) == 1
    assert "OCR_MODELS_S3" in capsys.readouterr().out
    assert main(["models", "pull", "PP-OCRv6_small_det"]) == 0
    assert "sound" in capsys.readouterr().out


def test_list_shows_where_each_model_is(environment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line a model."""
    assert main(["models", "list"]) == 0
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 1 + len(load_catalogue().models)
    assert "package" in printed

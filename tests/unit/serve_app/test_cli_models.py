"""`ocr-serve models`, on a catalogue of one small model that a package carries."""

import json
from pathlib import Path

import pytest

from serve_app import cli_models
from serve_app.cli import main

from small_models import SHA256, install_package, make_catalogue


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the store is; no hub, no bucket."""
    monkeypatch.setattr(cli_models, "load_catalogue", make_catalogue)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setenv("OCR_MODELS_DIR", str(tmp_path / "store"))
    monkeypatch.setenv("OCR_MODELS_HUB", "off")
    install_package(tmp_path / "site")
    return tmp_path / "store"


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, list[dict[str, str]]]:
    """The exit status and the rows of one command."""
    status = main(["models", *args, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_list_says_where_a_model_is(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In its package until it is pulled; a model without the asked format is not shown."""
    assert run(capsys, "list")[1][0]["installed"] == "package"
    assert run(capsys, "pull", "small_det")[0] == 0
    assert run(capsys, "list")[1][0]["installed"] == "store"
    assert run(capsys, "list", "--format", "paddle") == (0, [])


def test_verify_reports_damage_and_pull_repairs_it(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit status says it to scripts."""
    run(capsys, "pull", "small_det")
    (root / "small_det" / "onnx" / "inference.onnx").write_bytes(b"half")
    status, rows = run(capsys, "verify")
    assert (status, rows[0]["state"]) == (1, "model_corrupt")
    status, rows = run(capsys, "pull", "small_det")
    assert (status, rows[0]["sha256"]) == (0, SHA256)


def test_an_unknown_model_is_missing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a name that is like it."""
    status, rows = run(capsys, "pull", "small_dat")
    assert (status, rows[0]["state"]) == (1, "model_missing")
    assert "small_det" in rows[0]["detail"]


def test_a_wrong_setting_is_named(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a line, not a traceback."""
    monkeypatch.setenv("OCR_MODELS_GIVEN", "small_det")
    assert main(["models", "list"]) == 2
    assert "OCR_MODELS_GIVEN" in capsys.readouterr().err

"""Models in the stack's bucket, as an operator puts them there and a node finds them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from serve_app.cli import main

from moto_process import make_client

pytestmark = pytest.mark.aws

# A model whose weights no package carries and nobody has pinned: any bytes will do, once.
MODEL = "PP-OCRv6_tiny_det"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's folder, as PaddleX has it."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "inference.onnx").write_bytes(b"weights of a model")
    (folder / "inference.yml").write_text(
        f"Global: {{model_name: {MODEL}}}\nPreProcess: {{transform_ops: []}}\n"
    )
    return folder


@pytest.fixture
def url(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address that a node is told of; its store is empty."""
    url = f"s3://{bucket}/models"
    monkeypatch.setenv("OCR_MODELS_S3", url)
    monkeypatch.setenv("OCR_MODELS_HUB", "off")
    monkeypatch.setenv("OCR_MODELS_DIR", str(tmp_path / "store"))
    return url


def upload(endpoint: str, bucket: str, model: Path) -> None:
    for file in model.iterdir():
        make_client("s3", endpoint).upload_file(str(file), bucket, f"models/{MODEL}/onnx/{file.name}")


def pull(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What `ocr-serve models pull` says about the model."""
    main(["models", "pull", "--json", MODEL])
    (row,) = json.loads(capsys.readouterr().out)
    return row


@pytest.mark.skipif(shutil.which("aws") is None, reason="the AWS CLI is not installed")
def test_a_node_pulls_what_an_operator_copied(
    url: str, endpoint: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """By AWS's command line; `awslocal` is the same for a server on this machine."""
    monkeypatch.setenv("DISABLE_DEPRECATION_NOTICE", "1")
    program = str(Path(sys.executable).with_name("awslocal")) if endpoint else "aws"
    command = [program, "s3", "cp", "--recursive", "--only-show-errors", str(model), f"{url}/{MODEL}/onnx"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr
    row = pull(capsys)
    assert (row["state"], row["source"]) == ("sound", "s3")
    assert (tmp_path / "store" / MODEL / "onnx" / "inference.onnx").read_bytes() == b"weights of a model"


def test_other_bytes_under_a_known_name_are_refused(
    url: str, endpoint: str, bucket: str, model: Path, tmp_path: Path, capsys
) -> None:
    """The store notes the hash of what came first: nothing else takes the place of a damaged copy."""
    upload(endpoint, bucket, model)
    assert pull(capsys)["state"] == "sound"
    (model / "inference.onnx").write_bytes(b"other weights")
    upload(endpoint, bucket, model)
    (tmp_path / "store" / MODEL / "onnx" / "inference.onnx").write_bytes(b"damaged")
    assert pull(capsys)["state"] != "sound"


def test_a_model_that_is_not_there_is_named(url: str, capsys) -> None:
    assert pull(capsys)["state"] == "model_missing"

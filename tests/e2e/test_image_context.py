"""What an image copies is enough to install the service from, with the image's own command."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from paths import ROOT

pytestmark = pytest.mark.e2e


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """The image's working folder after its last COPY."""
    lines = (ROOT / "cluster" / "Dockerfile").read_text().splitlines()
    folder = tmp_path / "srv"
    for line in lines:
        if line.startswith("COPY "):
            *sources, target = line.split()[1:]
            for source in sources:
                copy(source, folder / target)
    return folder


def copy(source: str, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    found = list(ROOT.glob(source))
    assert found, source
    for path in found:
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, target)


def test_the_service_is_installed_from_what_is_copied(context: Path, tmp_path: Path) -> None:
    """All three packages with their data; and not the repository's tests."""
    command = "pip install --no-cache-dir --no-deps --no-build-isolation ."
    assert f"RUN {command}" in (ROOT / "cluster" / "Dockerfile").read_text()
    installed = tmp_path / "installed"
    result = subprocess.run(
        [sys.executable, "-m", *command.split(), "--quiet", "--target", str(installed)],
        cwd=context,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert result.returncode == 0, result.stderr
    for file in ("configs/models.yaml", "configs/profiles/gpu-t4.yaml", "serve_app/app.py", "bin/ocr-serve"):
        assert (installed / file).is_file(), file
    assert not (installed / "tests").exists()
    shown = subprocess.run(
        [sys.executable, "-P", "-m", "serve_app.cli", "models", "list"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "PP-OCRv6_small_det" in shown.stdout, shown.stderr

"""What is installed, and what the pure layers load."""

import importlib.metadata
import subprocess
import sys

import pytest

PURE_MODULES = [
    "configs.profile",
    "configs.catalogue",
    "deployments.flow",
    "deployments.models.detection",
    "deployments.models.recognition",
    "deployments.models.store",
    "deployments.engines.factory",
    "deployments.vision.images",
    "deployments.vision.pdf",
    "serve_app.api.app",
    "serve_app.schemas",
]


@pytest.mark.parametrize("module", PURE_MODULES)
def test_pure_layers_load_without_ray_and_without_paddle(module: str) -> None:
    """A fresh process that imports the module has loaded no ray, no paddle and no weights' package."""
    code = (
        f"import sys, {module}; "
        "print([name for name in ('ray', 'paddle', 'paddlex', 'rapidocr') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_exactly_one_opencv_is_installed() -> None:
    """The packages with the weights ask for three builds, which would overwrite each other's files."""
    names = {(item.metadata["Name"] or "").lower() for item in importlib.metadata.distributions()}
    assert {name for name in names if name.startswith("opencv")} == {"opencv-contrib-python"}

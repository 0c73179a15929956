"""The refusal of heavy imports that the other unit tests rely on."""

import importlib
import importlib.metadata
import sys

import pytest


@pytest.mark.parametrize("name", ["ray", "ray.serve", "paddlex", "paddleocr", "rapidocr"])
def test_heavy_packages_cannot_be_imported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test that reaches for one of them fails, even where it is installed."""
    for loaded in [module for module in sys.modules if module.partition(".")[0] == name.partition(".")[0]]:
        monkeypatch.delitem(sys.modules, loaded)
    with pytest.raises(ImportError, match="must not be imported"):
        importlib.import_module(name)


def test_metadata_of_distributions_stays_readable() -> None:
    """Versions come from metadata, which needs no import."""
    assert importlib.metadata.version("pytest")

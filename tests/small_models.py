"""A model of a few bytes, a package that carries it and a store that finds it.

A module of its own, because processes that a test starts must be able to import it.
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

from configs.catalogue import Catalogue
from deployments.models.sources import ModelSource, PackageSource
from deployments.models.store import ModelStore

WEIGHTS = b"the weights of a very small network"
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


def make_catalogue(sha256: str | None = SHA256) -> Catalogue:
    """One detector, which a package carries."""
    return Catalogue.model_validate(
        {
            "models": {
                "small_det": {
                    "task": "text_detection",
                    "version": "v1",
                    "licence": "Apache-2.0",
                    "origin": "https://example.org",
                    "config": {"PreProcess": {"transform_ops": []}},
                    "formats": {
                        "onnx": {
                            "file": "inference.onnx",
                            "sha256": sha256,
                            "package": {"distribution": "small-weights", "file": "small_weights/det.onnx"},
                        }
                    },
                }
            }
        }
    )


def install_package(site: Path, weights: bytes = WEIGHTS) -> None:
    """A distribution as pip leaves it: a folder, its metadata and its record."""
    (site / "small_weights").mkdir(parents=True, exist_ok=True)
    (site / "small_weights" / "det.onnx").write_bytes(weights)
    info = site / "small_weights-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: small-weights\nVersion: 1.0\n")
    (info / "RECORD").write_text("small_weights/det.onnx,,\n")


def make_store(
    root: Path, *sources: ModelSource, sha256: str | None = SHA256, given: dict[str, Path] | None = None
) -> ModelStore:
    """A store over these sources, by default packages alone."""
    return ModelStore(root, make_catalogue(sha256), given or {}, sources or (PackageSource(),))


def resolve_in_process(root: str, site: str, results: Any) -> None:
    """Body of a racing process."""
    sys.path.insert(0, site)
    files = make_store(Path(root)).resolve("small_det", "onnx")
    results.put(files.weights.read_bytes())

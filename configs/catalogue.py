"""The model catalogue: which models there are, what they are for, and where their weights may come from."""

import difflib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field

from configs.settings import Settings

Task = Literal[
    "text_detection",
    "text_recognition",
    "textline_orientation",
    "doc_orientation",
    "layout_detection",
    "table_structure_recognition",
    "image_unwarping",
    "formula_recognition",
    "seal_text_detection",
]
ModelFormat = Literal["onnx", "paddle"]


class PackagedFile(Settings):
    """Weights that an installed distribution carries; ``file`` is its path among the distribution's files."""

    distribution: str
    file: str


class WeightsSpec(Settings):
    """The weights of a model in one format.

    ``file`` is their name in a PaddleX model directory and ``more_files`` what belongs to them; ``sha256``
    is that of ``file`` followed by ``more_files``, None when nobody has pinned it.
    """

    file: str
    more_files: tuple[str, ...] = ()
    size_bytes: int | None = None
    sha256: str | None = Field(pattern=r"^[0-9a-f]{64}$")
    package: PackagedFile | None = None


class ModelSpec(Settings):
    """One model. ``config`` is its `inference.yml`, None when that comes with the weights."""

    task: Task
    version: str
    licence: str
    origin: str
    languages: tuple[str, ...] = ()
    config: dict[str, Any] | None = None
    characters_from: Literal["onnx_metadata"] | None = None
    formats: dict[ModelFormat, WeightsSpec]


class Catalogue(Settings):
    """All models by their official PaddleX name."""

    models: Mapping[str, ModelSpec]

    def suggest(self, name: str) -> tuple[str, ...]:
        """Names like a misspelt one."""
        return tuple(difflib.get_close_matches(name, self.models, n=3, cutoff=0.5))

    def languages(self) -> dict[str, tuple[str, ...]]:
        """Codes of the languages that each recogniser reads."""
        return {name: spec.languages for name, spec in self.models.items() if spec.task == "text_recognition"}


@cache
def load_catalogue(path: Path | None = None) -> Catalogue:
    """The catalogue of a file, by default the shipped one. Raises `pydantic.ValidationError`."""
    source = resources.files("configs") / "models.yaml" if path is None else path
    content = yaml.safe_load(source.read_text(encoding="utf-8"))
    # What begins with "x-" only holds anchors for the rest.
    return Catalogue.model_validate(
        {key: value for key, value in content.items() if not key.startswith("x-")}
    )

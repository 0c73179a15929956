"""A model on disk: PaddleX's directory of weights and `inference.yml`, with its hash."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from configs.catalogue import ModelFormat, ModelSpec
from deployments.engines.base import NetworkFiles
from deployments.errors import ModelCorrupt

CONFIG_FILE = "inference.yml"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class ModelFiles:
    """A resolved model. ``source`` says where the weights came from; ``sha256`` is theirs."""

    name: str
    spec: ModelSpec
    model_format: ModelFormat
    directory: Path
    config: dict[str, Any]
    sha256: str
    source: str

    @property
    def version(self) -> str:
        """The model's family and release."""
        return self.spec.version

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that it reads."""
        return self.spec.languages

    @property
    def weights(self) -> Path:
        """The file that an engine is given."""
        return self.directory / self.spec.formats[self.model_format].file

    @property
    def network(self) -> NetworkFiles:
        """What an engine needs."""
        return NetworkFiles(self.name, self.spec.task, self.weights, self.config)


def hash_files(directory: Path, names: Sequence[str]) -> str:
    """SHA-256 in hexadecimal over the contents of files, one after the other."""
    digest = hashlib.sha256()
    for name in names:
        with (directory / name).open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()


def read_config(directory: Path, name: str) -> dict[str, Any]:
    """The directory's `inference.yml`. Raises `ModelCorrupt` when it is broken or another model's."""
    # The alphabet of a recogniser has thousands of entries: the C loader reads it ten times faster.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content: dict[str, Any] = yaml.load(  # nosec B506
            (directory / CONFIG_FILE).read_text(encoding="utf-8"), Loader=loader
        )
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelCorrupt(f"The {CONFIG_FILE} of model {name!r} cannot be read.") from error
    named = content.get("Global", {}).get("model_name") if isinstance(content, dict) else None
    if named != name:
        raise ModelCorrupt(f"The {CONFIG_FILE} of model {name!r} is that of {named!r}.")
    return content


def write_config(directory: Path, name: str, spec: ModelSpec, weights: Path) -> None:
    """Write `inference.yml` from the catalogue, with the alphabet that the network itself carries."""
    config = {"Global": {"model_name": name}, **(spec.config or {})}
    if spec.characters_from == "onnx_metadata":
        config["PostProcess"] = {**config["PostProcess"], "character_dict": _read_characters(weights)}
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = yaml.dump(config, Dumper=dumper, allow_unicode=True, sort_keys=False)
    (directory / CONFIG_FILE).write_text(text, encoding="utf-8")


def _read_characters(weights: Path) -> list[str]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(weights), providers=["CPUExecutionProvider"])
    metadata: dict[str, str] = session.get_modelmeta().custom_metadata_map
    return metadata["character"].split("\n")

"""Resolves a model's name to a PaddleX model directory whose weights are the right ones."""

import logging
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from filelock import FileLock

from configs.catalogue import Catalogue, ModelFormat, ModelSpec
from deployments.errors import ModelCorrupt, ModelMissing
from deployments.models.files import CONFIG_FILE, ModelFiles, hash_files, read_config
from deployments.models.sources import HubSource, ModelSource, PackageSource, S3Source, SourceUnavailable

logger = logging.getLogger(__name__)

_SHORT_HASH = 12
# Beside weights whose hash the catalogue does not know: the hash of what came first, and where from.
_PIN_FILE = "sha256.txt"
_SOURCE_FILE = "source.txt"


class ModelStore:
    """Models by name: a given directory, the store's own, then each source in order.

    Several processes may resolve one model at once: a lock lets one of them fetch, and directories are filled
    aside and moved into place, so that a process that dies leaves nothing half done.
    """

    def __init__(
        self, root: Path, catalogue: Catalogue, given: Mapping[str, Path], sources: Sequence[ModelSource]
    ) -> None:
        self._root = root
        self._catalogue = catalogue
        self._given = dict(given)
        self._sources = tuple(sources)

    @classmethod
    def from_environment(
        cls, catalogue: Catalogue, environment: Mapping[str, str] = os.environ
    ) -> "ModelStore":
        """A store as OCR_MODELS_DIR, OCR_MODELS_GIVEN, OCR_MODELS_S3 and OCR_MODELS_HUB describe it."""
        default = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ocr-serve" / "models"
        root = Path(environment.get("OCR_MODELS_DIR") or default)
        sources: list[ModelSource] = [PackageSource()]
        if environment.get("OCR_MODELS_S3"):
            sources.append(S3Source(environment["OCR_MODELS_S3"]))
        if environment.get("OCR_MODELS_HUB", "on").lower() not in ("off", "0", "false", "no"):
            sources.append(HubSource())
        return cls(root, catalogue, _parse_given(environment.get("OCR_MODELS_GIVEN", "")), sources)

    def resolve(self, name: str, model_format: ModelFormat) -> ModelFiles:
        """The model's files, fetched if need be, their hash checked.

        Raises `ModelMissing` when no place has it, `ModelCorrupt` when its weights are not the right ones.
        """
        spec = self._find_spec(name, model_format)
        if name in self._given:
            return self._open_given(name, spec, model_format)
        directory = self._root / name / model_format
        if not self._is_sound(directory, spec, model_format):
            directory.parent.mkdir(parents=True, exist_ok=True)
            # All replicas of a stage start at once; the first one fetches, the others find what it fetched.
            with FileLock(directory.with_suffix(".lock")):
                if not self._is_sound(directory, spec, model_format):
                    self._fetch(name, spec, model_format, directory)
        return self._open(name, spec, model_format, directory)

    def check(self, name: str, model_format: ModelFormat) -> ModelFiles:
        """The model's files as they lie there: a damaged copy is reported, not fetched again.

        Raises `ModelMissing` and `ModelCorrupt` as `resolve` does.
        """
        spec = self._find_spec(name, model_format)
        directory = self._root / name / model_format
        if name not in self._given and directory.is_dir():
            return self._open(name, spec, model_format, directory)
        return self.resolve(name, model_format)

    def find_installed(self, name: str, model_format: ModelFormat) -> str | None:
        """Where the model is found without a network: ``given``, ``store``, ``package`` or None."""
        spec = self._find_spec(name, model_format)
        if name in self._given:
            return "given"
        if (self._root / name / model_format / spec.formats[model_format].file).is_file():
            return "store"
        return "package" if PackageSource.find(spec, model_format) else None

    def _find_spec(self, name: str, model_format: ModelFormat) -> ModelSpec:
        spec = self._catalogue.models.get(name)
        if spec is None:
            near = self._catalogue.suggest(name)
            raise ModelMissing(
                f"There is no model {name!r} in the catalogue"
                + (f"; near it are {', '.join(near)}." if near else ".")
            )
        if model_format not in spec.formats:
            raise ModelMissing(f"Model {name!r} does not come as {model_format}.")
        return spec

    def _open_given(self, name: str, spec: ModelSpec, model_format: ModelFormat) -> ModelFiles:
        directory, weights = self._given[name], spec.formats[model_format]
        names = (weights.file, *weights.more_files)
        absent = [file for file in (*names, CONFIG_FILE) if not (directory / file).is_file()]
        if absent:
            raise ModelMissing(f"The directory given for model {name!r} lacks {' and '.join(absent)}.")
        # Whoever gives a directory answers for it: weights of their own have a hash of their own.
        sha256 = hash_files(directory, names)
        return ModelFiles(name, spec, model_format, directory, read_config(directory, name), sha256, "given")

    def _open(self, name: str, spec: ModelSpec, model_format: ModelFormat, directory: Path) -> ModelFiles:
        weights = spec.formats[model_format]
        if not self._is_complete(directory, spec, model_format):
            raise ModelCorrupt(f"The store's copy of model {name!r} ({model_format}) is incomplete.")
        actual = hash_files(directory, (weights.file, *weights.more_files))
        expected = weights.sha256 or (directory / _PIN_FILE).read_text(encoding="ascii").strip()
        if actual != expected:
            raise ModelCorrupt(
                f"The weights of model {name!r} have the hash {actual[:_SHORT_HASH]}, "
                f"not {expected[:_SHORT_HASH]}."
            )
        source = (directory / _SOURCE_FILE).read_text(encoding="ascii").strip()
        return ModelFiles(name, spec, model_format, directory, read_config(directory, name), actual, source)

    def _is_sound(self, directory: Path, spec: ModelSpec, model_format: ModelFormat) -> bool:
        """Whether the store's copy is complete and, where the catalogue says so, the right one."""
        if not self._is_complete(directory, spec, model_format):
            return False
        try:
            read_config(directory, directory.parent.name)
        except ModelCorrupt:
            return False
        weights = spec.formats[model_format]
        names = (weights.file, *weights.more_files)
        # An unpinned model that changed is not fetched again: somebody should look at it.
        return weights.sha256 is None or hash_files(directory, names) == weights.sha256

    @staticmethod
    def _is_complete(directory: Path, spec: ModelSpec, model_format: ModelFormat) -> bool:
        weights = spec.formats[model_format]
        names = (weights.file, *weights.more_files, CONFIG_FILE, _PIN_FILE, _SOURCE_FILE)
        return all((directory / file).is_file() for file in names)

    def _fetch(self, name: str, spec: ModelSpec, model_format: ModelFormat, directory: Path) -> None:
        weights = spec.formats[model_format]
        unavailable: list[str] = []
        for source in self._sources:
            with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".incoming-") as folder:
                incoming = Path(folder) / model_format
                incoming.mkdir()
                try:
                    if not source.fetch(name, spec, model_format, incoming):
                        continue
                except SourceUnavailable as error:
                    logger.warning("%s could not be asked for model %s: %s", source.name, name, error)
                    unavailable.append(source.name)
                    continue
                actual = hash_files(incoming, (weights.file, *weights.more_files))
                if weights.sha256 not in (None, actual):
                    raise ModelCorrupt(
                        f"The weights of model {name!r} from {source.name} have the hash "
                        f"{actual[:_SHORT_HASH]}, not {str(weights.sha256)[:_SHORT_HASH]}."
                    )
                (incoming / _PIN_FILE).write_text(actual, encoding="ascii")
                (incoming / _SOURCE_FILE).write_text(source.name, encoding="ascii")
                read_config(incoming, name)
                shutil.rmtree(directory, ignore_errors=True)
                os.rename(incoming, directory)
                return
        places = ", ".join(
            f"{source.name}, which could not be asked" if source.name in unavailable else source.name
            for source in self._sources
        )
        raise ModelMissing(
            f"Model {name!r} ({model_format}) is in none of its places ({places}); "
            f"where a hub or OCR_MODELS_S3 can be reached, `ocr-serve models pull {name}` gets it."
        )


def _parse_given(text: str) -> dict[str, Path]:
    """``name=directory`` pairs, comma separated. Raises `ValueError` for one without a directory."""
    given = {}
    for pair in filter(None, map(str.strip, text.split(","))):
        name, _, path = (part.strip() for part in pair.partition("="))
        if not name or not path:
            raise ValueError(f"OCR_MODELS_GIVEN has {pair!r}; it takes name=directory pairs")
        given[name] = Path(path).expanduser()
    return given

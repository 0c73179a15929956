"""Where weights come from: installed packages, S3, the official hubs. Each source fills a directory."""

import logging
import shutil
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Protocol

from configs.catalogue import ModelFormat, ModelSpec
from deployments.models.files import CONFIG_FILE, write_config

logger = logging.getLogger(__name__)


class SourceUnavailable(Exception):
    """A place that cannot be asked: no network, no permission, a wrong address."""


class ModelSource(Protocol):
    """A place that may have a model. ``name`` is what `ocr-serve models list` shows."""

    name: str

    def fetch(self, model: str, spec: ModelSpec, model_format: ModelFormat, directory: Path) -> bool:
        """Fill ``directory`` with the model's files; whether the place has it.

        Raises `OSError` when the disk fails and `SourceUnavailable` when the place cannot be asked.
        """
        ...


class PackageSource:
    """Weights that an installed package carries. The package is never imported, only its files are read."""

    name = "package"

    def fetch(self, model: str, spec: ModelSpec, model_format: ModelFormat, directory: Path) -> bool:
        """See `ModelSource.fetch`."""
        path = self.find(spec, model_format)
        if path is None:
            return False
        target = directory / spec.formats[model_format].file
        shutil.copyfile(path, target)
        write_config(directory, model, spec, target)
        return True

    @staticmethod
    def find(spec: ModelSpec, model_format: ModelFormat) -> Path | None:
        """The weights' file inside the installed package."""
        packaged = spec.formats[model_format].package
        if packaged is None:
            return None
        try:
            files = distribution(packaged.distribution).files or []
        except PackageNotFoundError:
            return None
        found = [Path(str(file.locate())) for file in files if file.as_posix() == packaged.file]
        return found[0] if found and found[0].is_file() else None


class S3Source:
    """Objects ``<prefix>/<model>/<format>/<file>`` of a bucket, with credentials as AWS tools find them."""

    name = "s3"

    def __init__(self, url: str) -> None:
        self._url = url

    def fetch(self, model: str, spec: ModelSpec, model_format: ModelFormat, directory: Path) -> bool:
        """See `ModelSource.fetch`."""
        from obstore.exceptions import BaseError, NotFoundError
        from obstore.store import from_url

        weights = spec.formats[model_format]
        try:
            store = from_url(self._url)
            for name in (weights.file, *weights.more_files, CONFIG_FILE):
                answer = store.get(f"{model}/{model_format}/{name}")
                with (directory / name).open("wb") as file:
                    for chunk in answer.stream():
                        file.write(chunk)
        except (NotFoundError, FileNotFoundError):
            return False
        except (BaseError, ValueError) as error:
            raise SourceUnavailable(type(error).__name__) from error
        return True


class HubSource:
    """The official model hubs, through PaddleX's own downloader."""

    name = "hub"

    def fetch(self, model: str, spec: ModelSpec, model_format: ModelFormat, directory: Path) -> bool:
        """See `ModelSource.fetch`."""
        try:
            # Late: PaddleX takes three seconds to import.
            from paddlex.inference.utils.official_models import official_models

            found = Path(official_models.get_model_path(model, model_formats=[model_format]))
        except Exception as error:
            # PaddleX raises bare exceptions for "not there" and "no network" alike.
            logger.info("the official hubs gave no %s: %s", model, type(error).__name__)
            return False
        weights = spec.formats[model_format]
        names = (weights.file, *weights.more_files, CONFIG_FILE)
        if not all((found / name).is_file() for name in names):
            return False
        for name in names:
            shutil.copyfile(found / name, directory / name)
        return True

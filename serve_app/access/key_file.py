"""The file that keeps keys: read again when it changed, and edited in one step."""

import asyncio
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml
from filelock import FileLock

from serve_app.access.keys import KeyRecord, parse_keys

logger = logging.getLogger(__name__)

# How often a request may look at the file: a revoked key works for no longer than that.
LOOK_EVERY_S = 1.0
_LOCK_TIMEOUT_S = 10.0

Stamp = tuple[int, int, int]


class KeyFile:
    """A key file as a source of keys; a set that cannot be read is reported once and changes nothing."""

    def __init__(self, path: Path, read_clock_s: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._read_clock_s = read_clock_s
        self._stamp: Stamp | None = None
        self._next_look_s = float("-inf")

    def load(self) -> tuple[KeyRecord, ...]:
        """The keys at the start. Raises `ValueError` with one sentence for the operator."""
        try:
            self._stamp = self._take_stamp()
            return read_key_file(self._path)
        except OSError as error:
            raise ValueError(f"API_KEYS_FILE cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise ValueError(f"API_KEYS_FILE is not valid: {error}.") from error

    async def reload(self) -> tuple[KeyRecord, ...] | None:
        """The keys, where the file has changed and can be read; None else."""
        now_s = self._read_clock_s()
        if now_s < self._next_look_s:
            return None
        self._next_look_s = now_s + LOOK_EVERY_S
        return await asyncio.to_thread(self._read_if_changed)

    def _read_if_changed(self) -> tuple[KeyRecord, ...] | None:
        try:
            stamp = self._take_stamp()
            if stamp == self._stamp:
                return None
            # Before reading: what is written meanwhile is seen as a change next time.
            self._stamp = stamp
            return read_key_file(self._path)
        except OSError as error:
            if self._stamp is not None:
                logger.error("The key file cannot be read (%s); the last good set stays.", error.strerror)
            self._stamp = None
        except ValueError as error:
            logger.error("The key file is not valid (%s); the last good set stays.", error)
        return None

    def _take_stamp(self) -> Stamp:
        found = self._path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino


def read_key_file(path: Path) -> tuple[KeyRecord, ...]:
    """The keys in a file. Raises `OSError`, and `ValueError` where they are not valid."""
    try:
        return parse_keys(path.read_text("utf-8"))
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None


def edit_key_file(
    path: Path, change: Callable[[tuple[KeyRecord, ...]], tuple[KeyRecord, ...]]
) -> tuple[KeyRecord, ...]:
    """Replace the keys in a file in one step, readable to its owner alone; a file that is not there is made.

    Editors wait for each other. Raises `OSError`, and `ValueError` where the file is not valid.
    """
    # Through a link: what it leads to is replaced, not the link.
    path = path.resolve()
    with FileLock(path.with_name(f".{path.name}.lock"), timeout=_LOCK_TIMEOUT_S, mode=0o600):
        keys = change(read_key_file(path) if path.exists() else ())
        content = {"keys": [_dump(key) for key in keys]}
        _replace(path, _write(content, path.suffix))
    return keys


def _dump(key: KeyRecord) -> dict[str, object]:
    shown = key.model_dump(mode="json", exclude_none=True, exclude={"limits", "scopes"})
    shown["scopes"] = sorted(key.scopes)
    limits = key.limits.model_dump(exclude_none=True)
    return {**shown, "limits": limits} if limits else shown


def _write(content: Mapping[str, object], suffix: str) -> str:
    if suffix == ".json":
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _replace(path: Path, text: str) -> None:
    # `mkstemp` makes files with mode 0600.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise

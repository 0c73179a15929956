"""Which files a command line means, and where their results go."""

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# In a folder, what does not end so is no document; a file that is named is taken whatever it is called.
DOCUMENT_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pdf", ".png", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class Source:
    """A file to read; ``name`` is its path below what all files have in common, with `/`."""

    path: Path
    name: str


def find_sources(arguments: Sequence[str], out: Path) -> list[Source]:
    """All files that files, folders and patterns mean, each once, sorted by name.

    Folders are searched whole, without hidden entries, links to folders and the folder ``out``. Raises
    `ValueError`, with a text for the user, for an argument that means nothing.
    """
    bases: list[Path] = []
    paths: list[Path] = []
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            bases.append(path.resolve())
            paths += _walk(path, out.resolve())
        elif path.exists():
            bases.append(path.resolve().parent)
            paths.append(path)
        elif glob.has_magic(argument):
            bases.append(_fixed_part(path).resolve())
            paths += _expand(argument, out.resolve())
        else:
            raise ValueError(f"There is no file or folder {argument!r}.")
    if not paths:
        raise ValueError("There is no image or PDF among these.")
    base = Path(os.path.commonpath(bases))
    found = {path.resolve(): Source(path, _name_below(base, path)) for path in paths}
    return sorted(found.values(), key=lambda source: source.name)


def _walk(folder: Path, out: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        here = Path(root)
        folders[:] = [name for name in folders if not name.startswith(".") and (here / name).resolve() != out]
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in DOCUMENT_SUFFIXES:
                yield here / name


def _expand(pattern: str, out: Path) -> Iterator[Path]:
    for found in glob.iglob(pattern, recursive=True):
        path = Path(found)
        if path.is_dir():
            continue
        if out not in path.resolve().parents:
            yield path


def _fixed_part(pattern: Path) -> Path:
    """The folders of a pattern before its first wildcard."""
    fixed = Path(pattern.anchor) if pattern.is_absolute() else Path()
    for part in pattern.parts[1 if pattern.is_absolute() else 0 : -1]:
        if glob.has_magic(part):
            break
        fixed /= part
    return fixed


def _name_below(base: Path, path: Path) -> str:
    # The folder is resolved and the file is not: a link keeps its own name.
    return (path.parent.resolve() / path.name).relative_to(base).as_posix()

"""The pages of a benchmark: folders of images, or sets of them with their truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from accuracy import PlacedText, read_truth

_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")


@dataclass(frozen=True)
class Pages:
    """Image files, and the lines of those whose text is known, by path."""

    paths: tuple[Path, ...]
    truth: dict[str, list[PlacedText]]


def find_pages(folders: Sequence[Path]) -> Pages:
    """The images of each folder, or of its ``images/`` with the truth of its ``gt.jsonl``."""
    paths: list[Path] = []
    truth: dict[str, list[PlacedText]] = {}
    for folder in folders:
        images = folder / "images" if (folder / "images").is_dir() else folder
        found = [path for path in sorted(images.iterdir()) if path.suffix.lower() in _IMAGE_SUFFIXES]
        paths += found
        if (folder / "gt.jsonl").is_file():
            lines = read_truth(folder)
            truth |= {str(path): lines[path.name] for path in found if path.name in lines}
    if not paths:
        raise SystemExit(f"There are no images in {', '.join(map(str, folders))}.")
    return Pages(tuple(paths), truth)

"""Which files a command line means."""

from pathlib import Path

import pytest

from serve_app.file_reading.failures import StoreFailed
from serve_app.file_reading.sources import find_sources
from serve_app.file_reading.store import ResultStore


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "x/a.png",
        "x/b.PDF",
        "x/notes.txt",
        "x/.hidden/c.png",
        "y/a.png",
        "y/z/d.tiff",
        "out/e.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"-")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*arguments: str) -> list[str]:
    return [source.name for source in find_sources(arguments, Path("out"))]


def test_a_folder_is_searched_whole(tree: Path) -> None:
    """Without hidden folders, other kinds of files, and the results."""
    assert names("x") == ["a.png", "b.PDF"]
    assert names(".") == ["x/a.png", "x/b.PDF", "y/a.png", "y/z/d.tiff"]


def test_files_of_one_name_stay_apart(tree: Path) -> None:
    """By what their folders do not have in common."""
    assert names("x/a.png", "y/a.png") == ["x/a.png", "y/a.png"]
    assert names("x", "y") == ["x/a.png", "x/b.PDF", "y/a.png", "y/z/d.tiff"]
    assert names("y/a.png") == ["a.png"]


def test_patterns_are_expanded(tree: Path) -> None:
    """Below their fixed part; a file that is meant twice is read once."""
    assert names("*/*.png", "x/a.png") == ["x/a.png", "y/a.png"]
    assert names("y/**/*.tiff") == ["z/d.tiff"]


@pytest.mark.parametrize("argument", ["nothing.png", "*.gif"])
def test_arguments_that_mean_nothing_are_refused(tree: Path, argument: str) -> None:
    """Rather than done without a word."""
    with pytest.raises(ValueError, match="There is no"):
        find_sources([argument], Path("out"))


def test_two_runs_do_not_write_into_one_folder(tree: Path) -> None:
    """The second is told."""
    store = ResultStore(Path("out"))
    with pytest.raises(StoreFailed, match="Another run"):
        ResultStore(Path("out"))
    store.close()
    ResultStore(Path("out")).close()

"""`ocr-serve keys`, as an operator types it."""

import json
from pathlib import Path

import pytest

from serve_app.access.key_file import read_key_file
from serve_app.access.keys import KeyRing
from serve_app.cli import main


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("API_KEYS_FILE", str(tmp_path / "keys.yaml"))
    return tmp_path / "keys.yaml"


def test_a_new_key_is_printed_once_and_kept_as_a_hash(path: Path, capsys) -> None:
    """Alone on standard output, so that it can go into a file."""
    limits = ["--requests-per-minute", "60", "--pages-per-day", "1000"]
    assert main(["keys", "new", "--owner", "shop", "--scopes", "ocr,jobs", "--expires", "30d", *limits]) == 0
    key = capsys.readouterr().out.strip()
    (record,) = read_key_file(path)
    assert KeyRing([record]).find(key.encode()) == record
    assert key.split("_", 2)[2] not in path.read_text()
    assert (record.owner, record.scopes) == ("shop", {"ocr", "jobs"})
    assert (record.limits.requests_per_minute, record.limits.pages_per_day) == (60, 1000)
    assert record.expires is not None
    assert record.created is not None
    assert (record.expires - record.created).days == 30


def test_keys_are_listed_and_revoked(path: Path, capsys) -> None:
    """A revoked key stays in the list: the audit log names it."""
    main(["keys", "new", "--owner", "shop"])
    main(["keys", "new", "--owner", "old", "--expires", "2020-01-01"])
    first, second = read_key_file(path)
    assert main(["keys", "revoke", first.id]) == 0
    capsys.readouterr()
    assert main(["keys", "list", "--json"]) == 0
    printed = capsys.readouterr().out
    assert {row["id"]: row["state"] for row in json.loads(printed)} == {
        first.id: "revoked",
        second.id: "expired",
    }
    assert first.sha256 not in printed
    assert main(["keys", "list"]) == 0
    assert "revoked" in capsys.readouterr().out
    assert main(["keys", "revoke", "none"]) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["new", "--owner", "a", "--scopes", "root"], "scopes are"),
        (["new", "--owner", "a", "--expires", "soon"], "must be a date"),
        (["new", "--owner", "a", "--requests-per-minute", "0"], "requests_per_minute"),
        (["list"], "No such file"),
        (["revoke", "a"], "No such file"),
    ],
)
def test_mistakes_are_told_in_one_line(path: Path, capsys, arguments: list[str], says: str) -> None:
    """And change nothing."""
    assert main(["keys", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not path.exists()


def test_a_file_must_be_named(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """By an option or in the environment."""
    monkeypatch.delenv("API_KEYS_FILE", raising=False)
    assert main(["keys", "list"]) == 2
    assert "API_KEYS_FILE" in capsys.readouterr().err

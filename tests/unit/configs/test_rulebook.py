"""Rules of extraction as they are read from files."""

from pathlib import Path

import pytest

from configs.rulebook import RuleBook


def test_the_shipped_types() -> None:
    """A receipt has the fields that are promised, besides those that only serve its sums."""
    receipt = RuleBook.load().types["receipt"]
    assert [name for name, rule in receipt.fields.items() if rule.returned] == [
        *("company", "date", "time", "address", "phone", "business_number", "items", "subtotal", "tax"),
        *("total", "currency"),
    ]


def test_calibration_rises() -> None:
    """A better score never means less confidence."""
    for points in RuleBook.load().common.calibration.values():
        assert list(points) == sorted(points)
        assert [share for _, share in points] == sorted(share for _, share in points)


def test_a_file_of_the_user_wins(tmp_path: Path) -> None:
    """Over the shipped type of its name; the others stay."""
    (tmp_path / "receipt.yaml").write_text("fields: {total: {kind: money, labels: [sum]}}", encoding="utf-8")
    book = RuleBook.load(tmp_path)
    assert set(book.types["receipt"].fields) == {"total"}
    assert "invoice" in book.types


@pytest.mark.parametrize(
    "text",
    [
        "fields: {total: {kind: price}}",
        "fields: {total: {kind: money, lables: [x]}}",
        "fields: [",
        "sums: [{total: total, parts: [tax]}]",
        "just words",
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str) -> None:
    """A misspelt key or kind, broken YAML and sums of unknown fields stop the start."""
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"mine\.yaml"):
        RuleBook.load(tmp_path)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    """Rather than no rules."""
    with pytest.raises(ValueError, match="no folder"):
        RuleBook.load(tmp_path / "gone")

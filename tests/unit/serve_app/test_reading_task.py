"""A task as a user types it."""

import pytest

from serve_app.reading_task import make_task


def test_the_task_follows_from_the_forms() -> None:
    """The least that makes them."""
    assert make_task(None, "json,txt", {}).name == "ocr"
    assert make_task(None, "md,json,pdf", {}).name == "structure"
    assert make_task(None, "md", {}).output_names("a/b.pdf") == {"markdown": "a/b.pdf.md"}


@pytest.mark.parametrize(
    ("name", "formats", "fields", "words"),
    [
        ("ocr", "md", {}, "no markdown"),
        (None, "docx", {}, "no format docx"),
        (None, "", {}, "none named"),
        (None, "json", {"dpi": "9000"}, "dpi"),
        (None, "json", {"colour": "blue"}, "colour"),
        (None, "json", {"document_id": "doc_1"}, "means nothing here"),
        ("extraction", "json", {"queries": "[1]"}, "queries"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(
    name: str | None, formats: str, fields: dict[str, str], words: str
) -> None:
    """Before any server is asked."""
    with pytest.raises(ValueError, match=words):
        make_task(name, formats, fields)  # type: ignore[arg-type]


def test_the_fingerprint_is_that_of_what_decides_the_result() -> None:
    """Not of its form; PaddleOCR's names count as one's own."""
    one = make_task("structure", "json", {"words": "true"})
    assert one.fingerprint() == make_task("structure", "md", {"return_word_box": "true"}).fingerprint()
    assert one.fingerprint() != make_task("structure", "json", {}).fingerprint()
    assert make_task("ocr", "json", {}).fingerprint() != make_task("structure", "json", {}).fingerprint()

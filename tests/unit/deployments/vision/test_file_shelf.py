"""Files that stay open between their pages."""

import pytest
from PIL import Image

from deployments.input_errors import MalformedPdf
from deployments.vision.file_shelf import FileShelf
from deployments.vision.pdf import PdfDocument

from fixtures.formats import make_pdf


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return make_pdf([Image.new("L", (40, 20), 255)] * 2)


def test_a_document_is_opened_once_for_all_of_its_pages(pdf: bytes) -> None:
    """Its bytes are not even asked for again."""
    asked = []

    def read_bytes() -> bytes:
        asked.append(1)
        return pdf

    shelf = FileShelf()
    pages = [
        shelf.open("one", read_bytes, PdfDocument).render_page(number, 72, 10**6) for number in (1, 2, 1)
    ]
    assert [page.number for page in pages] == [1, 2, 1]
    assert len(asked) == 1


def test_what_was_not_used_for_longest_is_closed(pdf: bytes) -> None:
    """And opened again when somebody comes back to it."""
    shelf = FileShelf(max_files=2)
    first = shelf.open("a", lambda: pdf, PdfDocument)
    second = shelf.open("b", lambda: pdf, PdfDocument)
    assert shelf.open("a", lambda: pdf, PdfDocument) is first
    shelf.open("c", lambda: pdf, PdfDocument)
    assert len(shelf) == 2
    assert shelf.open("a", lambda: pdf, PdfDocument) is first
    assert shelf.open("b", lambda: pdf, PdfDocument) is not second


def test_large_documents_stay_alone(pdf: bytes) -> None:
    """One that is larger than the shelf may still be read."""
    shelf = FileShelf(max_bytes=len(pdf))
    shelf.open("a", lambda: pdf, PdfDocument)
    assert shelf.open("b", lambda: pdf, PdfDocument).page_count == 2
    assert len(shelf) == 1


def test_a_file_that_cannot_be_opened_is_not_kept() -> None:
    """Neither it nor its error."""
    shelf = FileShelf()
    for _ in range(2):
        with pytest.raises(MalformedPdf):
            shelf.open("a", lambda: b"%PDF- and nothing else", PdfDocument)
    assert len(shelf) == 0

"""Which way a file becomes a searchable PDF: by its own pages, or by being printed."""

from typing import Protocol

from deployments.searchable.image_pages import PrintedImage
from deployments.searchable.pdf_pages import SearchablePdf
from deployments.searchable.text import TextPage
from deployments.vision.images import sniff_kind


class PdfWriter(Protocol):
    """A PDF that grows page by page; `add_page` in rising order, then `save`, and `close` in any case."""

    def add_page(self, page: TextPage) -> None:
        """Add a page with its text. Raises `InputError` when it cannot be added."""
        ...

    def save(self) -> bytes:
        """The whole file. Raises `InputError` when it cannot be written."""
        ...

    def close(self) -> None:
        """Free what the writer holds."""
        ...


def open_writer(data: bytes, max_pixels: int) -> PdfWriter:
    """A writer for a caller's file; ``max_pixels`` bounds its frames if it is an image.

    Raises `InputError` for a file that cannot be read.
    """
    return SearchablePdf(data) if sniff_kind(data) == "pdf" else PrintedImage(data, max_pixels)

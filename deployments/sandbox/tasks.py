"""What is done with strangers' files inside a process of a sandbox.

Every method takes the key of a file and its bytes (uint8, (n,)), or None where the process may have it open.
"""

import numpy as np
from numpy.typing import NDArray

from deployments.document import PageImage
from deployments.searchable.text import TextPage
from deployments.searchable.writer import PdfWriter, open_writer
from deployments.vision.file_shelf import FileShelf
from deployments.vision.images import ImageDocument
from deployments.vision.pdf import PdfDocument

FileBytes = NDArray[np.uint8]


class NeedsFile(Exception):
    """The file is not open here, and its bytes did not come."""


class FileTasks:
    """Draws pages, decodes frames and writes PDF files; raises `InputError` for files that are at fault."""

    def __init__(self) -> None:
        self._shelf = FileShelf()
        self._writers: dict[str, PdfWriter] = {}

    def measure_pdf(self, key: str, data: FileBytes | None, dpi: int) -> tuple[int, int]:
        """Pages of a PDF, and the pixels of the first at ``dpi``."""
        document = self._shelf.open(key, lambda: _expect(data), PdfDocument)
        return document.page_count, document.count_pixels(1, dpi)

    def render_page(
        self, key: str, data: FileBytes | None, number: int, dpi: int, max_pixels: int, with_layer: bool
    ) -> PageImage:
        """Page ``number`` (from 1) of a PDF."""
        document = self._shelf.open(key, lambda: _expect(data), PdfDocument)
        return document.render_page(number, dpi, max_pixels, with_layer=with_layer)

    def measure_image(self, key: str, data: FileBytes | None, max_pixels: int) -> tuple[int, int]:
        """Frames of an image file, and the pixels of the first."""
        document = self._open_image(key, data, max_pixels)
        return document.page_count, document.first_page_px

    def read_frame(self, key: str, data: FileBytes | None, number: int, max_pixels: int) -> PageImage:
        """Frame ``number`` (from 1) of an image file."""
        return self._open_image(key, data, max_pixels).read_page(number)

    def open_writer(self, key: str, data: FileBytes | None, max_pixels: int) -> None:
        """Begin a PDF from a file; `close_writer` ends it."""
        self._writers[key] = open_writer(_expect(data), max_pixels)

    def write_page(self, key: str, _data: FileBytes | None, page: TextPage) -> None:
        """Add a page with its text."""
        self._find_writer(key).add_page(page)

    def save_pdf(self, key: str, _data: FileBytes | None) -> FileBytes:
        """The whole file, uint8 of shape (n,)."""
        return np.frombuffer(self._find_writer(key).save(), np.uint8)

    def close_writer(self, key: str, _data: FileBytes | None) -> None:
        """Free what the writer holds, if there is one."""
        writer = self._writers.pop(key, None)
        if writer is not None:
            writer.close()

    def _open_image(self, key: str, data: FileBytes | None, max_pixels: int) -> ImageDocument:
        return self._shelf.open(key, lambda: _expect(data), lambda file: ImageDocument(file, max_pixels))

    def _find_writer(self, key: str) -> PdfWriter:
        if key not in self._writers:
            raise NeedsFile
        return self._writers[key]


def _expect(data: FileBytes | None) -> bytes:
    if data is None:
        raise NeedsFile
    return data.tobytes()

"""PDF files as documents whose pages are rendered by pdfium.

pdfium keeps state for the whole process and takes no locks: one process uses this module from one thread.
"""

import contextlib
import ctypes
import math
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from pypdfium2 import raw

from deployments.document import Image, PageImage, TextLayer
from deployments.input_errors import EncryptedPdf, InputError, MalformedPdf, PageOutOfRange, TooManyPixels
from deployments.vision.geometry import MAX_SIDE_PX
from deployments.vision.pdf_text import read_text_layer

_POINTS_PER_INCH = 72
# Below this, text of an ordinary size cannot be read.
_MIN_DPI = 36
# A security handler that pdfium does not know asks for a certificate: there, too, a key is missing.
_LOCKED = (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
_WHITE = (255, 255, 255, 255)


@dataclass(frozen=True, eq=False)
class PageFrame:
    """How a page of a PDF lies, in points of its own system, whose y runs upwards.

    ``box`` is what is shown of it (left, bottom, right, top), ``rotation`` how far a viewer turns it
    clockwise, and ``characters`` (float64, (n, 2)) are the middles of the characters that it has as text.
    """

    box: tuple[float, float, float, float]
    rotation: int
    characters: NDArray[np.float64]


class PdfDocument:
    """An open PDF, whose pages count from 1; close it, or use it in a ``with`` statement.

    A file that only restricts what its readers may do (an owner's password) opens like any other. Raises
    `EncryptedPdf` when a password is needed and `MalformedPdf` when the file cannot be opened or has no page.
    """

    def __init__(self, data: bytes) -> None:
        # Not opened by pypdfium2, which would keep the handle of a file without pages for ever.
        handle = raw.FPDF_LoadMemDocument64(data, len(data), None)
        if not handle:
            if raw.FPDF_GetLastError() in _LOCKED:
                raise EncryptedPdf("The PDF needs a password.")
            raise MalformedPdf("The PDF cannot be opened.")
        self._pdf = pypdfium2.PdfDocument(handle)
        # pdfium reads from these bytes as long as the document is open.
        self._data = data
        # Before pages are counted or loaded, or fields are not drawn; a page without its fields is still one.
        with contextlib.suppress(pypdfium2.PdfiumError):
            self._pdf.init_forms()
        self.page_count: int = len(self._pdf)
        if self.page_count < 1:
            self.close()
            raise MalformedPdf("The PDF has no pages.")

    def __enter__(self) -> Self:
        """Give the document itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the document."""
        self.close()

    def close(self) -> None:
        """Free what pdfium holds; closing twice is allowed."""
        self._pdf.close()

    def count_pixels(self, number: int, dpi: int) -> int:
        """Pixels of page ``number`` (from 1) at ``dpi`` dots an inch, 0 if it cannot be measured."""
        try:
            width_pt, height_pt = self._pdf.get_page_size(number - 1)
        except pypdfium2.PdfiumError:
            return 0
        return round(width_pt * height_pt * (dpi / _POINTS_PER_INCH) ** 2)

    def render_page(self, number: int, dpi: int, max_pixels: int, *, with_layer: bool = False) -> PageImage:
        """Render page ``number`` as it is shown: uint8 of shape (h, w, 3), BGR, on white.

        Annotations and form fields are drawn, and the page stands as its own rotation says. When it has more
        than ``max_pixels`` pixels at ``dpi`` dots an inch, the resolution is lowered until it fits;
        `PageImage.dpi` tells what was used. ``with_layer`` adds what the page says of its text, where that
        can be read. Raises `TooManyPixels` when it would take less than 36 dpi, `PageOutOfRange`, and
        `MalformedPdf` when the page cannot be loaded or rendered.
        """
        if not 1 <= number <= self.page_count:
            raise PageOutOfRange(f"The PDF has {self.page_count} page(s); page {number} was asked for.")
        try:
            with contextlib.closing(self._pdf.get_page(number - 1)) as page:
                width_pt, height_pt = page.get_size()
                used_dpi = _fit_dpi(width_pt, height_pt, dpi, max_pixels)
                if used_dpi is None:
                    raise TooManyPixels(
                        f"Page {number} of the PDF has more than {max_pixels} pixels even at {_MIN_DPI} dpi."
                    )
                pixels = _draw_page(page, used_dpi)
                layer = _read_layer(page, pixels) if with_layer else None
                return PageImage(number, pixels, float(used_dpi), layer)
        except InputError:
            raise
        except Exception as error:
            raise MalformedPdf(f"Page {number} of the PDF cannot be rendered.") from error

    def frame_page(self, number: int) -> PageFrame:
        """How page ``number`` (from 1) lies, and where it has text. Raises `MalformedPdf`."""
        try:
            with contextlib.closing(self._pdf.get_page(number - 1)) as page:
                return PageFrame(page.get_bbox(), page.get_rotation(), _locate_characters(page))
        except Exception as error:
            raise MalformedPdf(f"Page {number} of the PDF cannot be loaded.") from error


def _locate_characters(page: pypdfium2.PdfPage) -> NDArray[np.float64]:
    """Middles of the characters of a page that are not white space, float64 of shape (n, 2), in points."""
    middles = []
    with contextlib.closing(page.get_textpage()) as text:
        left, right, bottom, top = (ctypes.c_double() for _ in range(4))
        for index in range(text.count_chars()):
            if chr(raw.FPDFText_GetUnicode(text, index)).isspace():
                continue
            if raw.FPDFText_GetCharBox(text, index, left, right, bottom, top):
                middles.append(((left.value + right.value) / 2, (bottom.value + top.value) / 2))
    return np.array(middles, np.float64).reshape(-1, 2)


def _read_layer(page: pypdfium2.PdfPage, pixels: Image) -> TextLayer | None:
    try:
        return read_text_layer(page, pixels.shape[1], pixels.shape[0])
    except pypdfium2.PdfiumError:
        # The page is there to be read all the same.
        return None


def _fit_dpi(width_pt: float, height_pt: float, dpi: int, max_pixels: int) -> int | None:
    """Find the highest whole resolution up to ``dpi`` at which the page fits, by pixels and by sides."""
    highest = int(math.sqrt(max_pixels / (width_pt * height_pt)) * _POINTS_PER_INCH)
    for candidate in range(min(dpi, highest), min(dpi, _MIN_DPI) - 1, -1):
        scale = candidate / _POINTS_PER_INCH
        width, height = math.ceil(width_pt * scale), math.ceil(height_pt * scale)
        if width * height <= max_pixels and max(width, height) <= MAX_SIDE_PX:
            return candidate
    return None


def _draw_page(page: pypdfium2.PdfPage, dpi: int) -> Image:
    scale = dpi / _POINTS_PER_INCH
    bitmap = page.render(scale=scale, fill_color=_WHITE, draw_annots=True, may_draw_forms=True)
    with contextlib.closing(bitmap):
        # A copy: the bitmap's own memory goes with it.
        return np.array(bitmap.to_numpy(), np.uint8, order="C")

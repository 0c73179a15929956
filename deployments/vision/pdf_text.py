"""The text layer of a PDF page: what the file itself says is written there, and where.

Belongs to the thread of `deployments.vision.pdf`.
"""

import ctypes

import numpy as np
import pypdfium2
from pypdfium2 import raw

from deployments.document import FloatArray, TextLayer

# pdfium maps to whole device pixels; a device so much larger than the page's picture keeps the fractions.
_FINER = 64
_SPAN_PT = 100.0


def read_text_layer(page: pypdfium2.PdfPage, width_px: int, height_px: int) -> TextLayer:
    """The characters of a page with their boxes in pixels of its picture, which has this size.

    In the order of the file; characters that pdfium makes up (spaces between words that stand apart) are
    among them, without a box. A page without text gives an empty layer.
    """
    text_page = page.get_textpage()
    try:
        count = text_page.count_chars()
        codes = [raw.FPDFText_GetUnicode(text_page.raw, index) for index in range(count)]
        corners = np.zeros((count, 4), np.float64)
        hidden = np.zeros(count, bool)
        rectangle = raw.FS_RECTF()
        modes: dict[int, bool] = {}
        for index in range(count):
            if raw.FPDFText_GetLooseCharBox(text_page.raw, index, rectangle):
                corners[index] = rectangle.left, rectangle.top, rectangle.right, rectangle.bottom
            hidden[index] = _is_hidden(text_page, index, modes)
    finally:
        text_page.close()
    boxes = _to_pixels(page, corners, width_px, height_px)
    return TextLayer("".join(map(_as_character, codes)), boxes, hidden)


def _as_character(code: int) -> str:
    """One character for one code: what is no character keeps its place as a replacement character."""
    if code in (0, 0xFFFE, 0xFFFF) or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
        return "\ufffd"
    return chr(code)


def _is_hidden(text_page: pypdfium2.PdfTextPage, index: int, modes: dict[int, bool]) -> bool:
    """Whether the file draws the character invisibly."""
    text_object = raw.FPDFText_GetTextObject(text_page.raw, index)
    if not text_object:
        return False
    address = ctypes.addressof(text_object.contents)
    if address not in modes:
        mode = raw.FPDFTextObj_GetTextRenderMode(text_object)
        modes[address] = mode in (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)
    return modes[address]


def _to_pixels(page: pypdfium2.PdfPage, corners: np.ndarray, width_px: int, height_px: int) -> FloatArray:
    """Left, top, right and bottom in the page's own space to the same in pixels, float32 of shape (n, 4)."""
    origin, along_x, along_y = (
        _map_point(page, point, width_px, height_px)
        for point in ((0.0, 0.0), (_SPAN_PT, 0.0), (0.0, _SPAN_PT))
    )
    matrix = np.stack([along_x - origin, along_y - origin], axis=1) / _SPAN_PT
    one = corners[:, :2] @ matrix.T + origin
    other = corners[:, 2:] @ matrix.T + origin
    boxes = np.concatenate([np.minimum(one, other), np.maximum(one, other)], axis=1)
    # Those without a box stay without one.
    boxes[(corners == 0).all(axis=1)] = 0
    return boxes.astype(np.float32)


def _map_point(
    page: pypdfium2.PdfPage, point: tuple[float, float], width_px: int, height_px: int
) -> np.ndarray:
    x, y = ctypes.c_int(), ctypes.c_int()
    size = (width_px * _FINER, height_px * _FINER)
    raw.FPDF_PageToDevice(page.raw, 0, 0, *size, 0, *point, x, y)
    return np.array([x.value, y.value], np.float64) / _FINER

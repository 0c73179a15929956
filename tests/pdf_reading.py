"""What other programs find in a PDF: PDFium's and Poppler's text with its places, and PDFium's pixels.

Boxes are (left, top, right, bottom) in pixels of a page that is drawn ``width`` x ``height`` pixels large.
"""

import ctypes
import io
import shutil
import subprocess
from collections.abc import Sequence

import numpy as np
import pypdfium2
from lxml import html
from pypdfium2 import raw

Box = tuple[float, float, float, float]
HAS_POPPLER = shutil.which("pdftotext") is not None


def copy_text(pdf: bytes, number: int = 1) -> list[str]:
    """The words that selecting all of a page and copying it gives."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return document[number - 1].get_textpage().get_text_range().split()
    finally:
        document.close()


def find_words(pdf: bytes, width: int, height: int, number: int = 1) -> list[tuple[str, Box]]:
    """The words of a page as PDFium finds them, each with the box around its characters."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        page = document[number - 1]
        text = page.get_textpage()
        words: list[tuple[str, list[Box]]] = [("", [])]
        for index in range(text.count_chars()):
            character = text.get_text_range(index, 1)
            if not character.strip():
                words.append(("", []))
                continue
            word, boxes = words[-1]
            words[-1] = (word + character, [*boxes, _place(page, text.get_charbox(index), width, height)])
        return [(word, surround(boxes)) for word, boxes in words if word]
    finally:
        document.close()


def find_words_with_poppler(pdf: bytes, width: int, height: int) -> list[tuple[str, Box]]:
    """The words of all pages as Poppler's `pdftotext` finds them."""
    run = subprocess.run(["pdftotext", "-bbox", "-", "-"], input=pdf, capture_output=True, check=True)
    words = []
    for page in html.fromstring(run.stdout.decode()).iter("page"):
        x, y = width / float(page.get("width")), height / float(page.get("height"))
        for word in page.iter("word"):
            left, top, right, bottom = (float(word.get(key)) for key in ("xmin", "ymin", "xmax", "ymax"))
            words.append((word.text, (left * x, top * y, right * x, bottom * y)))
    return words


def draw_page(pdf: bytes, width: int, height: int, number: int = 1) -> np.ndarray:
    """A page drawn exactly so large: uint8 of shape (height, width, 3), BGR."""
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    try:
        page = document[number - 1]
        bitmap = pypdfium2.PdfBitmap.new_native(width, height, raw.FPDFBitmap_BGRx)
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, raw.FPDF_ANNOT)
        return bitmap.to_numpy()[:, :, :3].copy()
    finally:
        document.close()


def surround(boxes: Sequence[Box]) -> Box:
    """The box around boxes."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def measure_overlap(first: Box, second: Box) -> float:
    """Intersection over union."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(0.0, width) * max(0.0, height)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return shared / (sum(areas) - shared)


def _place(page: pypdfium2.PdfPage, box: Box, width: int, height: int) -> Box:
    """A box of the page's own system (left, bottom, right, top) as the viewer sees it."""
    corners = []
    for x, y in ((box[0], box[1]), (box[2], box[3])):
        seen_x, seen_y = ctypes.c_int(), ctypes.c_int()
        # A hundredth of a pixel: PDFium gives whole numbers.
        raw.FPDF_PageToDevice(page, 0, 0, 100 * width, 100 * height, 0, x, y, seen_x, seen_y)
        corners.append((seen_x.value / 100, seen_y.value / 100))
    (left, top), (right, bottom) = np.min(corners, axis=0).tolist(), np.max(corners, axis=0).tolist()
    return left, top, right, bottom

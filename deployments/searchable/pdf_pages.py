"""A PDF with text laid invisibly over its own pages, which stay as they are."""

import secrets
from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pikepdf
from numpy.typing import NDArray
from pikepdf import Pdf

from deployments.input_errors import EncryptedPdf, MalformedPdf
from deployments.searchable.content import Transform, add_font, write_text
from deployments.searchable.font import GlyphlessFont
from deployments.searchable.text import TextPage, TextRun
from deployments.vision.pdf import PdfDocument

# A word is known when so many of its characters have one of the page's own inside its place.
_KNOWN_SHARE = 0.5
_UNREADABLE = "The PDF can be read, but not written anew."


class SearchablePdf:
    """The pages of a caller's PDF, each with the text that was read on it.

    A page keeps what it has. It is turned by its own /Rotate when the service turned it, and words where the
    page has text already are left out: text that is there twice would be copied twice. One thread a process,
    because of pdfium. Raises `EncryptedPdf` and `MalformedPdf`.
    """

    def __init__(self, data: bytes) -> None:
        self._shown = PdfDocument(data)
        try:
            self._pdf = Pdf.open(BytesIO(data))
            self._font = GlyphlessFont(self._pdf)
        except pikepdf.PasswordError as error:
            self._shown.close()
            raise EncryptedPdf("The PDF needs a password.") from error
        except Exception as error:
            self._shown.close()
            raise MalformedPdf(_UNREADABLE) from error
        self._numbers: list[int] = []

    def add_page(self, page: TextPage) -> None:
        """Take a page over, with its text; one that could not be read comes as it is."""
        self._numbers.append(page.number)
        if not page.width or not page.height:
            return
        try:
            self._lay_text(page)
        except MalformedPdf:
            raise
        except Exception as error:
            raise MalformedPdf(_UNREADABLE) from error

    def save(self) -> bytes:
        """The PDF with the pages that were added, in the order in which they were.

        With all pages of the file, all else that it has is kept too: outline, forms, attachments, metadata.
        """
        output = BytesIO()
        try:
            self._font.finish()
            chosen, encryption = self._choose_pages()
            # Streams are passed on as they are, except where they must be encrypted anew.
            level = None if encryption else pikepdf.StreamDecodeLevel.none
            chosen.save(output, encryption=encryption, stream_decode_level=level)
        except Exception as error:
            raise MalformedPdf(_UNREADABLE) from error
        return output.getvalue()

    def close(self) -> None:
        """Free both copies of the document."""
        self._pdf.close()
        self._shown.close()

    def _lay_text(self, page: TextPage) -> None:
        target = self._pdf.pages[page.number - 1]
        frame = self._shown.frame_page(page.number)
        turned = (frame.rotation + page.rotation) % 360
        transform = map_to_page(page, frame.box, turned)
        if page.rotation:
            target.obj.Rotate = turned
        runs = leave_out_known(page.runs, transform, frame.characters)
        if runs:
            content = write_text(runs, transform, self._font, add_font(target, self._font))
            # In front of what the page draws: there nothing has changed the system of coordinates yet.
            target.contents_add(content, prepend=True)

    def _choose_pages(self) -> tuple[Pdf, pikepdf.Encryption | bool]:
        if self._numbers == list(range(1, len(self._pdf.pages) + 1)):
            return self._pdf, self._pdf.is_encrypted
        chosen = Pdf.new()
        chosen.add_pages_from(self._pdf, [number - 1 for number in self._numbers])
        if not self._pdf.is_encrypted:
            return chosen, False
        # What its owner forbade stays forbidden, under a password that nobody has.
        return chosen, pikepdf.Encryption(owner=secrets.token_hex(16), user="", allow=self._pdf.allow)


def map_to_page(page: TextPage, box: tuple[float, float, float, float], turned: int) -> Transform:
    """Map pixels of the upright page to points of a page whose ``box`` a viewer turns clockwise.

    Gives float64 of shape (3, 3), for column vectors.
    """
    left, bottom, right, top = box
    width, height = right - left, top - bottom
    # From the unit square as it is seen (x to the right, y down) to the page's own system (y up).
    placed = {
        0: ((width, 0, left), (0, -height, top)),
        90: ((0, width, left), (height, 0, bottom)),
        180: ((-width, 0, right), (0, height, bottom)),
        270: ((0, -width, right), (-height, 0, top)),
    }[turned]
    to_unit = np.diag([1 / page.width, 1 / page.height, 1.0])
    return np.array([*placed, (0, 0, 1)], np.float64) @ to_unit


def leave_out_known(
    runs: Sequence[TextRun], transform: Transform, characters: NDArray[np.float64]
) -> list[TextRun]:
    """The runs without words where a page has text already, and without the spaces beside them.

    ``characters`` (float64, (n, 2)) are the middles of the page's own characters, in points.
    """
    known = [_is_known(run, transform, characters) for run in runs]
    kept = []
    for index, run in enumerate(runs):
        beside = known[max(0, index - 1) : index + 2]
        if not (any(beside) if run.text.isspace() else known[index]):
            kept.append(run)
    return kept


def _is_known(run: TextRun, transform: Transform, characters: NDArray[np.float64]) -> bool:
    if run.text.isspace():
        return False
    corners = run.quad @ transform[:2, :2].T + transform[:2, 2]
    in_box = (characters >= corners.min(axis=0)) & (characters <= corners.max(axis=0))
    near = characters[in_box.all(axis=1)]
    if not len(near):
        return False
    sides = corners[[1, 2, 3, 0]] - corners
    offsets = near[:, None, :] - corners
    turns = sides[:, 0] * offsets[:, :, 1] - sides[:, 1] * offsets[:, :, 0]
    inside = (turns >= 0).all(axis=1) | (turns <= 0).all(axis=1)
    return int(inside.sum()) >= _KNOWN_SHARE * len("".join(run.text.split()))

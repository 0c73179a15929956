"""Small PDF files for tests, and their pages as pixels."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pikepdf
from hypothesis import strategies as st

from deployments.vision.pdf import PdfDocument

MAX_PIXELS = 4_000_000
RED_CORNER = b"1 0 0 rg 0 90 20 10 re f"


def build_pdf(
    *contents: bytes, size_pt: tuple[float, float] = (200, 100), encryption: pikepdf.Encryption | None = None
) -> bytes:
    """A PDF of one page for each content stream."""
    pdf = pikepdf.new()
    for content in contents:
        page = pdf.add_blank_page(page_size=size_pt)
        page.Contents = pdf.make_stream(content)
    return save_pdf(pdf, encryption=encryption or False)


def save_pdf(pdf: pikepdf.Pdf, **options: object) -> bytes:
    """The bytes of a PDF."""
    stream = BytesIO()
    pdf.save(stream, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def render(data: bytes, number: int = 1, dpi: int = 72) -> np.ndarray:
    """The pixels of a page."""
    with PdfDocument(data) as document:
        return document.render_page(number, dpi, MAX_PIXELS).pixels


def build_form() -> bytes:
    """A PDF with a text field that has a value and no appearance of its own."""
    with pikepdf.open(BytesIO(build_pdf(b""))) as pdf:
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
        text_field = pdf.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Widget,
                FT=pikepdf.Name.Tx,
                T="name",
                V="FILLED IN",
                Rect=[10, 40, 190, 70],
                F=4,
                DA="/Helv 18 Tf 0 g",
            )
        )
        pdf.pages[0].Annots = pdf.make_indirect([text_field])
        pdf.Root.AcroForm = pdf.make_indirect(
            pikepdf.Dictionary(
                Fields=[text_field], NeedAppearances=True, DA="/Helv 18 Tf 0 g", DR={"/Font": {"/Helv": font}}
            )
        )
        return save_pdf(pdf)


@st.composite
def damaged_files(draw: st.DrawFn, samples: Sequence[bytes]) -> bytes:
    """One of these files in which some bytes are replaced, and which may be cut."""
    data = bytearray(draw(st.sampled_from(samples)))
    changes = st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255))
    for position, value in draw(st.lists(changes, max_size=8)):
        data[position] = value
    return bytes(data[: draw(st.one_of(st.just(len(data)), st.integers(0, len(data))))])

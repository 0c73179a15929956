"""PDF files as documents: opening, rendering, limits, and files that are damaged."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdfium2 import raw

from deployments.errors import EncryptedPdf, InputError, MalformedPdf, PageOutOfRange, TooManyPixels
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


@contextmanager
def count_open_handles(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """How many handles of each kind pdfium has given out and not been given back."""
    handles = {"document": 0, "page": 0, "bitmap": 0, "form": 0}
    steps = {
        "FPDF_LoadMemDocument64": ("document", 1),
        "FPDF_CloseDocument": ("document", -1),
        "FPDF_LoadPage": ("page", 1),
        "FPDF_ClosePage": ("page", -1),
        "FPDFBitmap_CreateEx": ("bitmap", 1),
        "FPDFBitmap_Destroy": ("bitmap", -1),
        "FPDFDOC_InitFormFillEnvironment": ("form", 1),
        "FPDFDOC_ExitFormFillEnvironment": ("form", -1),
    }

    def count_calls(call: Callable[..., object], kind: str, step: int) -> Callable[..., object]:
        def counted(*args: object) -> object:
            result = call(*args)
            handles[kind] += step if result or step < 0 else 0
            return result

        return counted

    with monkeypatch.context() as patch:
        for name, (kind, step) in steps.items():
            patch.setattr(raw, name, count_calls(getattr(raw, name), kind, step))
        yield handles


def test_a_page_is_rendered_on_white_in_bgr() -> None:
    """At 72 dots an inch, a point is a pixel; the red corner stands at the top left."""
    with PdfDocument(build_pdf(RED_CORNER)) as document:
        page = document.render_page(1, 72, MAX_PIXELS)
    assert (page.number, page.dpi) == (1, 72.0)
    assert page.pixels.shape == (100, 200, 3)
    assert page.pixels.dtype == np.uint8
    assert page.pixels.flags.c_contiguous
    assert page.pixels[5, 10].tolist() == [0, 0, 255]
    assert page.pixels[50, 100].tolist() == [255, 255, 255]


def test_pages_are_counted_and_rendered_each_for_itself() -> None:
    """Only the second page has the corner."""
    data = build_pdf(b"", RED_CORNER, b"")
    with PdfDocument(data) as document:
        assert document.page_count == 3
    assert (render(data, 1) == 255).all()
    assert render(data, 2)[5, 10].tolist() == [0, 0, 255]


@pytest.mark.parametrize(
    ("rotation", "shape", "corner"),
    [(90, (200, 100), (10, 95)), (180, (100, 200), (95, 190)), (270, (200, 100), (190, 5))],
)
def test_a_page_stands_as_its_own_rotation_says(
    rotation: int, shape: tuple[int, int], corner: tuple[int, int]
) -> None:
    """The red corner travels clockwise."""
    with pikepdf.open(BytesIO(build_pdf(RED_CORNER))) as pdf:
        pdf.pages[0].Rotate = rotation
        pixels = render(save_pdf(pdf))
    assert pixels.shape[:2] == shape
    assert pixels[corner].tolist() == [0, 0, 255]


def test_the_resolution_scales_the_page() -> None:
    """200 points at 144 dots an inch are 400 pixels."""
    assert render(build_pdf(RED_CORNER), dpi=144).shape == (200, 400, 3)


def test_the_resolution_is_lowered_until_the_page_fits() -> None:
    """What was used is told, and one step more would not have fitted."""
    with PdfDocument(build_pdf(b"", size_pt=(720, 720))) as document:
        page = document.render_page(1, 300, 1_000_000)
        assert page.dpi == 100.0
        assert page.pixels.shape == (1000, 1000, 3)
        assert document.render_page(1, 300, 1_010_100 - 1).dpi == 100.0
        assert document.render_page(1, 60, 1_000_000).dpi == 60.0


@pytest.mark.parametrize("max_pixels", [150_000, 200_001, 966_900, 1_000_003])
def test_a_page_never_has_more_pixels_than_the_limit(max_pixels: int) -> None:
    """Sides are rounded up, and count as rounded."""
    with PdfDocument(build_pdf(b"", size_pt=(595.3, 841.9))) as document:
        height, width = document.render_page(1, 600, max_pixels).pixels.shape[:2]
    assert 0.9 * max_pixels < height * width <= max_pixels


def test_a_page_too_large_even_at_the_lowest_resolution_is_refused() -> None:
    """At 36 dots an inch, 720 points are 360 pixels."""
    with PdfDocument(build_pdf(b"", size_pt=(720, 720))) as document:
        assert document.render_page(1, 300, 360 * 360).dpi == 36.0
        with pytest.raises(TooManyPixels, match="Page 1"):
            document.render_page(1, 300, 360 * 360 - 1)


def test_a_page_as_thin_as_a_thread_is_rendered() -> None:
    """A side is never less than one pixel."""
    with pikepdf.open(BytesIO(build_pdf(b""))) as pdf:
        pdf.pages[0].MediaBox = [0, 0, 1000, 0.1]
        assert render(save_pdf(pdf)).shape == (1, 1000, 3)


def test_annotations_are_drawn() -> None:
    """A stamp with an appearance of its own, on an empty page."""
    with pikepdf.open(BytesIO(build_pdf(b""))) as pdf:
        look = pdf.make_stream(b"0 0 1 rg 0 0 20 10 re f")
        look.Type, look.Subtype, look.BBox = pikepdf.Name.XObject, pikepdf.Name.Form, [0, 0, 20, 10]
        stamp = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Stamp, Rect=[0, 90, 20, 100], F=4, AP={"/N": look}
        )
        pdf.pages[0].Annots = pdf.make_indirect([pdf.make_indirect(stamp)])
        assert render(save_pdf(pdf))[5, 10].tolist() == [255, 0, 0]


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


def test_form_fields_are_drawn_with_what_was_filled_in() -> None:
    """The field stands where nothing else is on the page."""
    pixels = render(build_form())
    assert (pixels[30:60, 10:190] < 100).any()
    assert (pixels[:25] == 255).all()


def test_a_pdf_that_needs_a_password_is_told_apart() -> None:
    """The caller can do something about it."""
    data = build_pdf(RED_CORNER, encryption=pikepdf.Encryption(user="secret", owner="boss"))
    with pytest.raises(EncryptedPdf):
        PdfDocument(data)


@pytest.mark.parametrize("revision", [3, 4, 6])
def test_a_password_that_only_the_owner_has_does_not_lock_the_pages(revision: int) -> None:
    """Printing may be forbidden; reading is not."""
    encryption = pikepdf.Encryption(
        user="", owner="boss", R=revision, aes=revision > 3, metadata=revision > 3
    )
    assert render(build_pdf(RED_CORNER, encryption=encryption))[5, 10].tolist() == [0, 0, 255]


@pytest.mark.parametrize(
    "data",
    [b"%PDF-1.7\n", b"%PDF-1.4\nnot a pdf at all\n%%EOF", b"", bytes(100), build_pdf(RED_CORNER)[:60]],
    ids=["header", "garbage", "nothing", "zeros", "truncated"],
)
def test_what_cannot_be_opened_is_malformed(data: bytes) -> None:
    """The message says no more than that."""
    with pytest.raises(MalformedPdf) as caught:
        PdfDocument(data)
    assert caught.value.message == "The PDF cannot be opened."


def test_a_pdf_without_pages_is_malformed() -> None:
    """It opens, and there is nothing in it."""
    with pytest.raises(MalformedPdf, match="no pages"):
        PdfDocument(save_pdf(pikepdf.new()))


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_page_that_is_not_there_is_out_of_range(number: int) -> None:
    """Pages count from 1."""
    with PdfDocument(build_pdf(b"")) as document, pytest.raises(PageOutOfRange):
        document.render_page(number, 72, MAX_PIXELS)


def test_a_page_that_cannot_be_loaded_is_named_by_its_number_and_the_others_are_rendered() -> None:
    """The tree names two pages, but the first is nowhere in the file."""
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [9 0 R 3 0 R] /Count 2 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] >>",
    )
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (index + 1, text) for index, text in enumerate(objects))
    data = b"%PDF-1.4\n" + body + b"trailer << /Root 1 0 R >>\n"
    with PdfDocument(data) as document:
        with pytest.raises(MalformedPdf) as caught:
            document.render_page(1, 72, MAX_PIXELS)
        assert caught.value.message == "Page 1 of the PDF cannot be rendered."
        assert document.render_page(2, 72, MAX_PIXELS).pixels.shape == (100, 200, 3)


def test_every_handle_is_given_back_also_when_something_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents, pages, bitmaps and forms, over files that are good, limited, empty and locked."""
    locked = build_pdf(b"", encryption=pikepdf.Encryption(user="secret", owner="boss"))
    with count_open_handles(monkeypatch) as handles:
        with PdfDocument(build_form()) as document:
            document.render_page(1, 72, MAX_PIXELS)
            assert handles == {"document": 1, "page": 0, "bitmap": 0, "form": 1}
            with pytest.raises(TooManyPixels):
                document.render_page(1, 72, 10)
            assert handles == {"document": 1, "page": 0, "bitmap": 0, "form": 1}
        for data in (save_pdf(pikepdf.new()), locked, b"%PDF-"):
            with pytest.raises(InputError):
                PdfDocument(data)
        assert set(handles.values()) == {0}


def test_closing_twice_is_allowed() -> None:
    """The pixels stay after it."""
    document = PdfDocument(build_pdf(RED_CORNER))
    pixels = document.render_page(1, 72, MAX_PIXELS).pixels
    document.close()
    document.close()
    assert pixels[5, 10].tolist() == [0, 0, 255]


SAMPLES = [
    build_pdf(RED_CORNER),
    build_form(),
    build_pdf(RED_CORNER, encryption=pikepdf.Encryption(user="", owner="boss")),
]


@st.composite
def mutated_files(draw: st.DrawFn) -> bytes:
    """A valid file in which some bytes are replaced, and which may be cut."""
    data = bytearray(draw(st.sampled_from(SAMPLES)))
    changes = st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255))
    for position, value in draw(st.lists(changes, max_size=8)):
        data[position] = value
    return bytes(data[: draw(st.one_of(st.just(len(data)), st.integers(0, len(data))))])


@settings(max_examples=200, deadline=None)
@given(mutated_files())
def test_a_damaged_file_is_rendered_or_refused_and_nothing_else(data: bytes) -> None:
    """Whatever happens inside, what comes out is pages or an error for the caller."""
    try:
        with PdfDocument(data) as document:
            for number in range(1, min(document.page_count, 3) + 1):
                pixels = document.render_page(number, 72, MAX_PIXELS).pixels
                assert pixels.ndim == 3
                assert pixels.dtype == np.uint8
    except InputError:
        pass

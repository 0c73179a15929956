"""PDF files as documents: opening, rendering and limits."""

from io import BytesIO

import numpy as np
import pikepdf
import pytest

from deployments.input_errors import TooManyPixels
from deployments.vision.pdf import PdfDocument

from pdf_building import MAX_PIXELS, RED_CORNER, build_form, build_pdf, render, save_pdf


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


def test_form_fields_are_drawn_with_what_was_filled_in() -> None:
    """The field stands where nothing else is on the page."""
    pixels = render(build_form())
    assert (pixels[30:60, 10:190] < 100).any()
    assert (pixels[:25] == 255).all()


def test_closing_twice_is_allowed() -> None:
    """The pixels stay after it."""
    document = PdfDocument(build_pdf(RED_CORNER))
    pixels = document.render_page(1, 72, MAX_PIXELS).pixels
    document.close()
    document.close()
    assert pixels[5, 10].tolist() == [0, 0, 255]

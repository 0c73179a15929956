"""PDF files that are locked, damaged or not what they say, and what is given back after them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pikepdf
import pytest
from hypothesis import given, settings
from pypdfium2 import raw

from deployments.input_errors import EncryptedPdf, InputError, MalformedPdf, PageOutOfRange, TooManyPixels
from deployments.vision.pdf import PdfDocument

from pdf_building import MAX_PIXELS, RED_CORNER, build_form, build_pdf, damaged_files, render, save_pdf


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


SAMPLES = [
    build_pdf(RED_CORNER),
    build_form(),
    build_pdf(RED_CORNER, encryption=pikepdf.Encryption(user="", owner="boss")),
]


@settings(max_examples=200, deadline=None)
@given(damaged_files(SAMPLES))
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

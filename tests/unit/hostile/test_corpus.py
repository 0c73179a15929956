"""The corpus of hostile files."""

from itertools import islice

import pytest

from deployments.input_errors import InputError
from deployments.vision.images import ImageDocument, sniff_kind
from deployments.vision.pdf import PdfDocument

from hostile.corpus import damage, make_polyglots, make_seeds
from hostile.image_bombs import IMAGE_BOMBS
from hostile.pdf_bombs import PDF_BOMBS, page_of

MAX_PIXELS = 100_000_000


def test_a_seed_always_gives_the_same_files() -> None:
    """However many are asked for; another seed gives others."""
    few, many = list(damage(1, 20)), list(islice(damage(1, 200), 20))
    assert few == many
    assert {file.data for file in few}.isdisjoint(file.data for file in damage(2, 20))


def test_no_two_files_are_alike() -> None:
    """Nor is one of them as good as what it was made of."""
    seeds = {data for files in make_seeds().values() for data in files}
    files = {file.data for file in damage(1, 500)}
    assert len(files) == 500
    assert files.isdisjoint(seeds)


@pytest.mark.parametrize("kind", sorted(make_seeds()))
def test_what_is_damaged_was_good(kind: str) -> None:
    """Damage to a file that nobody could read would prove nothing."""
    for data in make_seeds()[kind]:
        if sniff_kind(data) == "image":
            assert ImageDocument(data, MAX_PIXELS).read_page(1).pixels.shape[:2] == (160, 360)
        else:
            with PdfDocument(data) as document:
                assert document.render_page(1, 72, MAX_PIXELS).pixels.any()


def test_some_damage_is_found_and_some_is_not() -> None:
    """Files that are all refused at their first bytes would reach no decoder."""
    refused = 0
    images = [file for file in damage(1, 140) if not file.name.endswith(".pdf")]
    for file in images:
        try:
            ImageDocument(file.data, MAX_PIXELS).read_page(1)
        except InputError:
            refused += 1
    assert 0.2 < refused / len(images) < 0.9


def test_bombs_are_small() -> None:
    """Each fits through the limit of bytes many times; those that take seconds to make are left out."""
    quick = ("loop.tiff", "tiles.tiff", "huge.bmp", "lying_frames.apng", "largest_screen.gif", "no_end.gif")
    for name in quick:
        assert len(IMAGE_BOMBS[name]()) < 100_000
    for name in ("lying_count.pdf", "form_in_itself.pdf", "jbig2_bomb.pdf", "jpx_tiles.pdf", "script.pdf"):
        assert len(PDF_BOMBS[name]()) < 100_000


def test_handwritten_pdf_files_are_pdf_files() -> None:
    """What the bombs are built on is read without complaint."""
    with PdfDocument(page_of(b"0 0 99 99 re f")) as document:
        page = document.render_page(1, 72, MAX_PIXELS)
    assert page.pixels.shape == (200, 300, 3)
    assert (page.pixels[-50:, :50] == 0).all()


def test_polyglots_are_what_their_first_bytes_say() -> None:
    """Or nothing at all."""
    kinds = {name: _sniff(data) for name, data in make_polyglots().items()}
    assert kinds["zip.pdf"] is kinds["html.pdf"] is kinds["picture.svg"] is None
    assert kinds["jpeg_and_pdf.jpeg"] == "image"
    assert kinds["pdf_and_zip.pdf"] == "pdf"


def _sniff(data: bytes) -> str | None:
    try:
        return sniff_kind(data)
    except InputError:
        return None

"""Image files as PDFs that can be searched."""

import io

import cv2
import numpy as np
import pikepdf
import pytest
from PIL import Image

from deployments.document import Page
from deployments.searchable.image_pages import size_page
from deployments.searchable.text import TextPage, TextRun
from deployments.vision.geometry import turn_clockwise
from deployments.vision.images import ImageDocument

from .conftest import MAX_PIXELS, make_run, read_truth, write_pdf
from fixtures.formats import ACCEPTED, make_exif_jpeg, make_jpeg, make_tiff
from paths import FIXTURES
from pdf_reading import (
    HAS_POPPLER,
    copy_text,
    draw_page,
    find_words,
    find_words_with_poppler,
    measure_overlap,
    surround,
)

# Decoders of JPEG differ in how they round and spread colours, by so much on average and at the worst.
JPEG_MEAN, JPEG_WORST = 0.5, 40


def expect_words(page: Page) -> list[tuple[str, tuple[float, float, float, float]]]:
    """The words of a page that white space divides, with their boxes."""
    words = []
    for line in page.lines:
        places = iter(line.words or ())
        for text in line.text.split():
            boxes, found = [], ""
            while found != text:
                word = next(places)
                found += word.text
                boxes.append((*word.quad.min(axis=0).tolist(), *word.quad.max(axis=0).tolist()))
            words.append((text, surround(boxes)))
    return words


def read_pixels(data: bytes) -> np.ndarray:
    """The first page of an image as the service reads it."""
    return ImageDocument(data, MAX_PIXELS).read_page(1).pixels


def assert_like_jpeg(first: np.ndarray, second: np.ndarray) -> None:
    difference = np.abs(first.astype(int) - second)
    assert first.shape == second.shape
    assert difference.mean() <= JPEG_MEAN
    assert difference.max() <= JPEG_WORST


def test_copied_text_is_the_text_that_was_read(fixture_name: str) -> None:
    """Word for word, in reading order."""
    page = read_truth(fixture_name)
    pdf = write_pdf((FIXTURES / fixture_name).read_bytes(), page)
    assert copy_text(pdf) == [text for text, _ in expect_words(page)]


def test_pdfium_finds_every_word_where_it_stands(fixture_name: str) -> None:
    """Its boxes and ours are nearly the same."""
    page = read_truth(fixture_name)
    found = find_words(write_pdf((FIXTURES / fixture_name).read_bytes(), page), page.width, page.height)
    expected = expect_words(page)
    assert [text for text, _ in found] == [text for text, _ in expected]
    for (_, box), (text, place) in zip(found, expected, strict=True):
        assert measure_overlap(box, place) > 0.95, text


@pytest.mark.skipif(not HAS_POPPLER, reason="pdftotext is not installed")
def test_poppler_finds_every_word_where_it_stands(fixture_name: str) -> None:
    """Another program with other rules, in another order."""
    page = read_truth(fixture_name)
    pdf = write_pdf((FIXTURES / fixture_name).read_bytes(), page)
    found = find_words_with_poppler(pdf, page.width, page.height)
    expected = expect_words(page)
    assert sorted(text for text, _ in found) == sorted(text for text, _ in expected)
    for text, place in expected:
        assert max(measure_overlap(box, place) for word, box in found if word == text) > 0.95, text


@pytest.mark.parametrize("name", ["letter_90.png", "letter_180.png", "letter_270.png"])
def test_a_page_that_was_turned_stands_upright(name: str) -> None:
    """The pixels as the service turned them, the words over them."""
    page = read_truth(name)
    data = (FIXTURES / name).read_bytes()
    pdf = write_pdf(data, page)
    drawn = draw_page(pdf, page.width, page.height)
    assert np.array_equal(drawn, turn_clockwise(read_pixels(data), page.rotation))
    found = find_words(pdf, page.width, page.height)
    expected = expect_words(page)
    assert [text for text, _ in found] == [text for text, _ in expected]
    overlaps = [measure_overlap(box, place) for (_, box), (_, place) in zip(found, expected, strict=True)]
    assert min(overlaps) > 0.95


def test_a_jpeg_is_kept_to_the_byte() -> None:
    """Nothing is lost by coding it once more."""
    data = (FIXTURES / "form.jpg").read_bytes()
    pdf = write_pdf(data, read_truth("form.jpg"))
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert opened.pages[0].Resources.XObject.Page.read_raw_bytes() == data
    assert_like_jpeg(draw_page(pdf, 1000, 1400), read_pixels(data))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_photo_stands_upright_however_it_is_stored(orientation: int, rotation: int) -> None:
    """By its EXIF data, then by what the service found out; mirrored photos too."""
    scene = Image.fromarray(np.full((120, 80, 3), 255, np.uint8))
    scene.paste((200, 30, 30), (0, 0, 40, 30))
    scene.paste((30, 30, 200), (50, 90, 80, 120))
    data = make_exif_jpeg(scene, orientation)
    upright = turn_clockwise(read_pixels(data), rotation)
    height, width = upright.shape[:2]
    pdf = write_pdf(data, TextPage.pack(1, width, height, rotation, (make_run("word", 10, 20, 50, 30),)))
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert opened.pages[0].Resources.XObject.Page.read_raw_bytes() == data
    assert_like_jpeg(draw_page(pdf, width, height), upright)
    ((text, box),) = find_words(pdf, width, height)
    assert text == "word"
    assert measure_overlap(box, (10, 20, 50, 30)) > 0.95


@pytest.mark.parametrize("kind", sorted(set(ACCEPTED) - {"pdf"}))
def test_every_kind_of_image_becomes_a_page_with_its_pixels(kind: str) -> None:
    """Exactly those that were read; but for JPEG, of which every decoder makes a little else."""
    scene = Image.open(FIXTURES / "one_line.png").convert("RGB").resize((500, 150))
    scene.paste((200, 30, 30), (400, 100, 500, 150))
    data = ACCEPTED[kind](scene)
    pixels = read_pixels(data)
    height, width = pixels.shape[:2]
    pdf = write_pdf(data, TextPage.pack(1, width, height, 0, (make_run("word", 10, 20, 50, 30),)))
    drawn = draw_page(pdf, width, height)
    if kind == "cmyk_jpeg":
        # Inks have no one colour: what counts is that they are not inverted.
        assert np.abs(drawn.astype(int) - pixels).mean() < 10
    elif kind.endswith("jpeg"):
        assert_like_jpeg(drawn, pixels)
    else:
        assert np.array_equal(drawn, pixels)
    assert copy_text(pdf) == ["word"]


def test_black_and_white_takes_little_room() -> None:
    """One bit a pixel, as the scanner had it."""
    data = ACCEPTED["bilevel_png"](Image.open(FIXTURES / "letter.png"))
    pdf = write_pdf(data, TextPage.pack(1, 1000, 1400, 0, ()))
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert opened.pages[0].Resources.XObject.Page.BitsPerComponent == 1
    assert len(pdf) < 2 * len(data)


def test_a_jpeg_that_no_pdf_can_hold_is_stored_as_its_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arithmetic coding is known to some decoders, and to no PDF."""
    data = bytearray(make_jpeg(Image.open(FIXTURES / "one_line.png")))
    pixels = read_pixels(bytes(data))
    # Decoded as it is; only its header says that it is coded otherwise.
    monkeypatch.setattr("deployments.searchable.jpeg._READABLE_FRAMES", ())
    pdf = write_pdf(bytes(data), TextPage.pack(1, 1000, 300, 0, ()))
    assert np.array_equal(draw_page(pdf, 1000, 300), pixels)


def test_frames_become_pages_and_a_failed_one_keeps_its_place() -> None:
    """Only those that were asked for, in order."""
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (90, 90, 90)]
    data = make_tiff([Image.new("RGB", (60, 40), colour) for colour in colours])
    pages = [
        TextPage.pack(2, 60, 40, 0, (make_run("two", 5, 5, 50, 20),)),
        TextPage.pack(3, 0, 0, 0, ()),
        TextPage.pack(4, 40, 60, 90, (make_run("four", 5, 5, 30, 20),)),
    ]
    pdf = write_pdf(data, *pages)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert len(opened.pages) == 3
    assert draw_page(pdf, 60, 40, 1)[20, 30].tolist() == [0, 200, 0]
    assert (draw_page(pdf, 60, 40, 2) == 255).all()
    assert draw_page(pdf, 40, 60, 3)[30, 20].tolist() == [90, 90, 90]
    assert [copy_text(pdf, number) for number in (1, 2, 3)] == [["two"], [], ["four"]]


@pytest.mark.parametrize(
    ("pixels", "density", "sides"),
    [
        ((1654, 2339), (200, 200), (595.44, 842.04)),
        # A fax has other lines than columns.
        ((1728, 1078), (204, 98), (609.88, 792.0)),
        # What says nothing of paper: A4, or 72 dots an inch.
        ((4032, 3024), (72, 72), (842, 631.5)),
        ((1240, 1754), None, (595.26, 842)),
        ((400, 200), (96, 96), (400, 200)),
        ((400, 200), (1, 1), (400, 200)),
        ((400, 200), (100_000, 100_000), (400, 200)),
        # A page too large for a PDF, and one too small.
        ((30_000, 300), (100, 100), (842, 8.42)),
        ((60, 2), (300, 300), (60, 2)),
    ],
)
def test_a_page_is_as_large_as_the_paper_was(
    pixels: tuple[int, int], density: tuple[float, float] | None, sides: tuple[float, float]
) -> None:
    """In points."""
    assert size_page(*pixels, density) == pytest.approx(sides, abs=0.01)


@pytest.mark.parametrize(("rotation", "sides"), [(0, (72, 288)), (90, (288, 72))])
def test_the_density_turns_with_the_page(rotation: int, sides: tuple[int, int]) -> None:
    """Across stays across."""
    png = io.BytesIO()
    Image.new("RGB", (100, 800)).save(png, "PNG", dpi=(100, 200))
    size = (100, 800) if rotation == 0 else (800, 100)
    pdf = write_pdf(png.getvalue(), TextPage.pack(1, *size, rotation, ()))
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert [float(edge) for edge in opened.pages[0].MediaBox[2:]] == pytest.approx(sides, abs=0.1)


def test_a_colour_profile_goes_with_the_photo() -> None:
    """Where it fits the photo's channels; another one is left out."""
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for mode, kept in (("RGB", True), ("L", False)):
        jpeg = io.BytesIO()
        Image.new(mode, (20, 20), "white").save(jpeg, "JPEG", icc_profile=profile)
        pdf = write_pdf(jpeg.getvalue(), TextPage.pack(1, 20, 20, 0, ()))
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            space = opened.pages[0].Resources.XObject.Page.ColorSpace
            assert (space == pikepdf.Name.DeviceGray) is not kept
            if kept:
                assert space[1].read_bytes() == profile


def test_skewed_lines_are_found_where_they_lie() -> None:
    """A line on its side and one that leans."""
    done, png = cv2.imencode(".png", np.full((400, 400, 3), 255, np.uint8))
    assert done
    upwards = np.array([[50, 300], [50, 100], [80, 100], [80, 300]], np.float32)
    leaning = np.array([[150, 150], [323.2, 50], [338.2, 76], [165, 176]], np.float32)
    runs = (TextRun("upwards", upwards), TextRun("leaning", leaning))
    found = dict(find_words(write_pdf(png.tobytes(), TextPage.pack(1, 400, 400, 0, runs)), 400, 400))
    assert measure_overlap(found["upwards"], (50, 100, 80, 300)) > 0.95
    assert measure_overlap(found["leaning"], (150, 50, 338.2, 176)) > 0.9

"""Image files as documents: kinds, limits and frames."""

import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from deployments.input_errors import EmptyInput, PageOutOfRange, TooManyPages, TooManyPixels, UnsupportedMedia
from deployments.vision.images import ImageDocument, sniff_kind

from fixtures.formats import (
    make_png,
)
from image_samples import FORMATS, MAX_PIXELS, SAMPLES, draw_page, encode, encode_frames


def png_header(width: int, height: int) -> bytes:
    """A PNG that says a size and holds next to nothing."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(100))),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def tiff_of_directories(count: int) -> bytes:
    """A TIFF in which ``count`` directories, one after the other, describe the same few pixels."""
    plain = encode(Image.new("L", (4, 4)), "TIFF")
    (start,) = struct.unpack_from("<I", plain, 4)
    (entries,) = struct.unpack_from("<H", plain, start)
    directory = plain[start : start + 2 + 12 * entries]
    data = bytearray(plain[:4] + struct.pack("<I", len(plain)) + plain[8:])
    for index in range(count):
        following = len(data) + len(directory) + 4 if index < count - 1 else 0
        data += directory + struct.pack("<I", following)
    return bytes(data)


@pytest.mark.parametrize("name", SAMPLES)
def test_an_image_is_known_by_its_first_bytes(name: str) -> None:
    """No name of a file is asked for."""
    assert sniff_kind(SAMPLES[name]) == "image"


@pytest.mark.parametrize("magic", [b"MM\0*", b"II*\0", b"MM\0+", b"II+\0"])
def test_a_tiff_may_have_either_byte_order_and_either_size_of_offsets(magic: bytes) -> None:
    """Four ways to start a TIFF."""
    assert sniff_kind(magic + bytes(20)) == "image"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7\n", "pdf"),
        (bytes(1019) + b"%PDF-1.4", "pdf"),
        (SAMPLES["PNG"] + b"%PDF-1.4", "image"),
        (encode(draw_page(), "JPEG", comment=b"scanned from %PDF-1.4"), "image"),
    ],
)
def test_a_pdf_header_may_stand_a_little_into_the_file_but_not_inside_an_image(
    data: bytes, kind: str
) -> None:
    """A PDF's header counts within 1024 bytes, unless the file starts like an image."""
    assert sniff_kind(data) == kind


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b"PK\x03\x04" + bytes(30),
        b"<!doctype html><title>Not found</title>",
        b"BMW is a maker of cars and motorcycles in Munich.",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"plain text",
        bytes(1024) + b"%PDF-1.4",
        b"\0",
    ],
)
def test_any_other_kind_is_refused_with_the_kinds_that_are_read(data: bytes) -> None:
    """The message helps who sent the file."""
    with pytest.raises(UnsupportedMedia, match=r"PDF, PNG, JPEG, WebP, TIFF, BMP, GIF"):
        sniff_kind(data)
    with pytest.raises(UnsupportedMedia):
        ImageDocument(data, MAX_PIXELS)


def test_a_file_without_bytes_is_empty_and_a_pdf_is_no_image() -> None:
    """Both are refused as what they are."""
    with pytest.raises(EmptyInput):
        sniff_kind(b"")
    with pytest.raises(EmptyInput):
        ImageDocument(b"", MAX_PIXELS)
    with pytest.raises(UnsupportedMedia):
        ImageDocument(b"%PDF-1.7\n", MAX_PIXELS)


@pytest.mark.parametrize("image_format", FORMATS)
def test_every_format_gives_a_page_of_bgr_bytes(image_format: str) -> None:
    """The shape is (height, width, 3), and red stands last."""
    document = ImageDocument(SAMPLES[image_format], MAX_PIXELS)
    page = document.read_page(1)
    assert (document.format, document.page_count) == (image_format, 1)
    assert (page.number, page.dpi) == (1, None)
    assert page.pixels.shape == (48, 96, 3)
    assert page.pixels.dtype == np.uint8
    assert page.pixels.flags.c_contiguous
    np.testing.assert_allclose(page.pixels[34, 75], (40, 30, 200), atol=12)


@pytest.mark.parametrize("image_format", FORMATS)
def test_an_image_of_one_pixel_is_a_page(image_format: str) -> None:
    """Whether it can be read is for others to say."""
    data = encode(Image.new("RGB", (1, 1), "white"), image_format)
    assert ImageDocument(data, 1).read_page(1).pixels.tolist() == [[[255, 255, 255]]]


def test_a_decompression_bomb_is_refused_by_what_its_header_says() -> None:
    """Nothing is decoded: the file holds no pixels at all."""
    with pytest.raises(TooManyPixels, match="40000 x 40000"):
        ImageDocument(png_header(40_000, 40_000), 100_000_000)


def test_the_limit_is_that_of_the_service_and_pillows_own_is_left_alone() -> None:
    """A limit above Pillow's lets a larger image pass without an error or a warning."""
    before = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ImageDocument(png_header(20_000, 10_000), 200_000_000).page_count == 1
        with pytest.raises(TooManyPixels):
            ImageDocument(png_header(20_000, 10_001), 200_000_000)
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("image_format", FORMATS)
def test_an_image_may_have_as_many_pixels_as_the_limit_but_not_one_more(image_format: str) -> None:
    """The limit belongs to what is allowed."""
    assert ImageDocument(SAMPLES[image_format], 96 * 48).page_count == 1
    with pytest.raises(TooManyPixels):
        ImageDocument(SAMPLES[image_format], 96 * 48 - 1)


def test_a_later_frame_is_held_to_the_limit_when_it_is_read() -> None:
    """The first frame is small, and still comes back afterwards."""
    document = ImageDocument(encode_frames("TIFF", [(10, 10), (100, 100)]), 100)
    with pytest.raises(TooManyPixels, match="Page 2"):
        document.read_page(2)
    assert document.read_page(1).pixels.shape == (10, 10, 3)


def test_a_gif_that_grows_in_a_frame_passed_over_is_refused() -> None:
    """Page 3 cannot be had without composing page 2."""
    data = encode_frames("GIF", [(20, 10)] * 3)
    second = data.index(b",", data.index(b",", 13) + 1)
    grown = data[: second + 5] + struct.pack("<HH", 60_000, 60_000) + data[second + 9 :]
    with pytest.raises(TooManyPixels):
        ImageDocument(grown, MAX_PIXELS).read_page(3)


def test_a_tile_larger_than_the_limit_is_refused_however_small_the_image_is() -> None:
    """A tile is decoded as a whole."""
    data = bytearray(encode(draw_page(), "TIFF"))
    # Two entries that nobody needs for this check become the width and the height of tiles.
    for unneeded, tag in ((278, 322), (284, 323)):
        entry = data.index(struct.pack("<H", unneeded), struct.unpack_from("<I", data, 4)[0])
        struct.pack_into("<HHII", data, entry, tag, 4, 1, 50_000)
    with pytest.raises(TooManyPixels, match="50000 x 50000"):
        ImageDocument(bytes(data), MAX_PIXELS)


@pytest.mark.parametrize("image_format", ["TIFF", "GIF", "WEBP", "PNG"])
@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 2, 1)])
def test_every_frame_is_a_page_and_pages_are_read_in_any_order(
    image_format: str, order: tuple[int, ...]
) -> None:
    """Frame n is grey of 50 times n."""
    document = ImageDocument(encode_frames(image_format, [(20, 10)] * 3, **{"lossless": True}), MAX_PIXELS)
    assert document.page_count == 3
    for number in order:
        page = document.read_page(number)
        assert page.number == number
        assert page.pixels.shape == (10, 20, 3)
        assert (page.pixels == 50 * number).all()


def test_frames_of_a_tiff_have_their_own_sizes() -> None:
    """A page is as large as its frame."""
    document = ImageDocument(encode_frames("TIFF", [(20, 10), (5, 30)]), MAX_PIXELS)
    assert [document.read_page(number).pixels.shape[:2] for number in (1, 2)] == [(10, 20), (30, 5)]


def test_the_preview_inside_a_phones_jpeg_is_no_page() -> None:
    """A multi-picture JPEG is one page: its first picture."""
    data = encode_frames("MPO", [(20, 10), (10, 5)])
    document = ImageDocument(data, MAX_PIXELS)
    assert document.page_count == 1
    assert document.read_page(1).pixels.shape == (10, 20, 3)


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_page_that_is_not_there_is_out_of_range(number: int) -> None:
    """Pages count from 1."""
    with pytest.raises(PageOutOfRange):
        ImageDocument(SAMPLES["PNG"], MAX_PIXELS).read_page(number)


def test_an_image_of_more_frames_than_anyone_means_is_refused() -> None:
    """Counting alone would keep the service busy."""
    assert ImageDocument(tiff_of_directories(3), MAX_PIXELS).page_count == 3
    with pytest.raises(TooManyPages):
        ImageDocument(tiff_of_directories(10_001), MAX_PIXELS)
    apng = SAMPLES["APNG of two frames"]
    control = apng.index(b"acTL")
    claim = b"acTL" + struct.pack(">II", 2**31 - 1, 0)
    with pytest.raises(TooManyPages):
        ImageDocument(
            apng[:control] + claim + struct.pack(">I", zlib.crc32(claim)) + apng[control + 16 :], MAX_PIXELS
        )


def test_a_side_may_be_only_so_long() -> None:
    """However few pixels the page has."""
    assert ImageDocument(make_png(Image.new("1", (32_766, 1))), MAX_PIXELS).page_count == 1
    with pytest.raises(TooManyPixels, match="side"):
        ImageDocument(make_png(Image.new("1", (32_767, 1))), MAX_PIXELS)

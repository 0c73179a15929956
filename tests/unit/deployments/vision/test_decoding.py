"""Pixels of every mode as OpenCV would show them."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from deployments.input_errors import MalformedImage
from deployments.vision.images import ImageDocument

RED = (200, 30, 40)


def encode(image: Image.Image, image_format: str, **options: object) -> bytes:
    """The bytes of an image file."""
    stream = BytesIO()
    image.save(stream, image_format, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def decode(data: bytes) -> np.ndarray:
    """The pixels of the only page."""
    return ImageDocument(data, 1_000_000).read_page(1).pixels


def make_photo(mode: str) -> Image.Image:
    """An image with an odd size in which no row or column is like another."""
    noise = np.random.default_rng(3).integers(0, 256, (37, 61, 3), dtype=np.uint8)
    return Image.fromarray(cv2.GaussianBlur(noise, (0, 0), 2)).convert(mode)


def draw_text(mode: str, background: object, ink: object) -> Image.Image:
    """The word OCR, in ``ink`` on ``background``, without smooth edges."""
    image = Image.new(mode, (40, 20), background)  # type: ignore[arg-type]
    draw = ImageDraw.Draw(image)
    draw.fontmode = "1"
    draw.text((4, 4), "OCR", fill=ink)  # type: ignore[arg-type]
    return image


INK = np.asarray(draw_text("L", 0, 255)) == 255


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".jpg", {"quality": 80}),
        (".jpg", {"quality": 95, "subsampling": 0}),
        (".jpg", {"progressive": True}),
        (".png", {}),
        (".bmp", {}),
        (".tif", {}),
        (".tif", {"compression": "tiff_lzw"}),
    ],
)
def test_pixels_are_those_that_opencv_reads(
    mode: str, suffix: str, options: dict[str, object], tmp_path: Path
) -> None:
    """PaddleOCR reads its pages with `cv2.imread`."""
    path = tmp_path / f"page{suffix}"
    make_photo(mode).save(path, **options)
    np.testing.assert_array_equal(decode(path.read_bytes()), cv2.imread(str(path)))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_page_is_turned_as_its_exif_orientation_says(suffix: str, orientation: int, tmp_path: Path) -> None:
    """Every one of the eight ways to hold a camera, as OpenCV turns them in a JPEG."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = make_photo("RGB")
    photo.save(tmp_path / "page.jpg", exif=exif, quality=95)
    photo.save(tmp_path / f"page{suffix}", exif=exif, quality=95)
    turned = cv2.imread(str(tmp_path / "page.jpg"))
    pixels = decode((tmp_path / f"page{suffix}").read_bytes())
    assert pixels.shape == turned.shape
    assert pixels.flags.c_contiguous
    assert np.abs(pixels.astype(int) - turned).mean() < 6


def test_the_exif_of_a_png_may_stand_behind_its_pixels() -> None:
    """The standard leaves the place of the chunk open."""
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(make_photo("RGB"), "PNG", exif=exif)
    pixels, metadata, end = data.index(b"IDAT") - 4, data.index(b"eXIf") - 4, data.index(b"IEND") - 4
    assert metadata < pixels
    moved = data[:metadata] + data[pixels:end] + data[metadata:pixels] + data[end:]
    np.testing.assert_array_equal(decode(moved), decode(data))
    assert decode(moved).shape == (61, 37, 3)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("exif", [b"", b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12", b"\xff" * 50])
def test_damaged_metadata_do_not_cost_the_page(exif: bytes) -> None:
    """The pixels are whole."""
    photo = make_photo("RGB")
    np.testing.assert_array_equal(decode(encode(photo, "JPEG", exif=exif)), decode(encode(photo, "JPEG")))


@pytest.mark.parametrize(
    ("image", "image_format"),
    [
        (draw_text("1", 1, 0), "PNG"),
        (draw_text("1", 1, 0), "TIFF"),
        (draw_text("L", 255, 0), "PNG"),
        (draw_text("LA", (255, 255), (0, 255)), "PNG"),
        (draw_text("RGB", "white", "black").convert("P"), "PNG"),
        (draw_text("RGBA", "white", "black"), "WEBP"),
        (draw_text("RGB", "white", "black").convert("P").convert("PA"), "TIFF"),
        (draw_text("CMYK", (0, 0, 0, 0), (0, 0, 0, 255)), "TIFF"),
        (draw_text("RGB", "white", "black").convert("YCbCr"), "TIFF"),
        (draw_text("I;16", 65535, 0), "PNG"),
        (draw_text("I;16", 65535, 0), "TIFF"),
        (draw_text("I", 70_000, -5), "TIFF"),
        (draw_text("F", 0.75, -0.25), "TIFF"),
    ],
    ids=lambda value: getattr(value, "mode", value),
)
def test_black_on_white_stays_so_in_every_mode(image: Image.Image, image_format: str) -> None:
    """Ink is 0 and paper is 255."""
    options = {"lossless": True} if image_format == "WEBP" else {}
    pixels = decode(encode(image, image_format, **options))
    expected = np.where(INK, 0, 255)[:, :, None].repeat(3, 2)
    np.testing.assert_allclose(pixels, expected, atol=1)


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (Image.new("RGB", (16, 16), RED), {"quality": 95}),
        (Image.new("CMYK", (16, 16), (55, 225, 215, 0)), {"quality": 95}),
        (Image.new("RGB", (16, 16), RED), {"quality": 95, "keep_rgb": True}),
    ],
    ids=["YCbCr", "CMYK as Adobe writes it", "RGB"],
)
def test_a_jpeg_of_any_colour_space_shows_its_colours(image: Image.Image, options: dict[str, object]) -> None:
    """Red stays red: inverted inks and colours that are not converted are known."""
    np.testing.assert_allclose(decode(encode(image, "JPEG", **options))[8, 8], RED[::-1], atol=4)


def test_a_ycck_jpeg_shows_its_colours() -> None:
    """The planes of a CMYK JPEG, said to be YCCK: the first three are then YCbCr of the inks."""
    y, cb, cr = Image.new("RGB", (1, 1), (55, 225, 215)).convert("YCbCr").getpixel((0, 0))  # type: ignore[misc]
    # Pillow writes CMYK inverted, so what is meant to be coded goes in as its complement.
    planes = Image.new("CMYK", (16, 16), (255 - y, 255 - cb, 255 - cr, 0))
    data = bytearray(encode(planes, "JPEG", quality=95))
    adobe = data.find(b"Adobe")
    marker = b"\xff\xee\x00\x0eAdobe\x00\x64\0\0\0\0\x02"
    if adobe >= 0:
        data[adobe + 11] = 2
    else:
        data[2:2] = marker
    np.testing.assert_allclose(decode(bytes(data))[8, 8], RED[::-1], atol=6)


def test_a_lab_tiff_shows_its_colours() -> None:
    """Its a and b run around 128 in OpenCV and around 0 in the file."""
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    image = ImageCms.applyTransform(Image.new("RGB", (8, 8), RED), to_lab)
    assert image is not None
    np.testing.assert_allclose(decode(encode(image, "TIFF"))[4, 4], RED[::-1], atol=12)


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_sixteen_bits_are_scaled_and_not_cut_off(byte_order: str) -> None:
    """Every value goes to the nearest of 256, whatever the page's own range."""
    values = np.array([[0, 128, 129, 257, 32768, 65535]], f"{byte_order}u2")
    mode = "I;16" if byte_order == "<" else "I;16B"
    image = Image.frombytes(mode, (6, 1), values.tobytes())
    expected = [0, 0, 1, 1, 128, 255]
    assert decode(encode(image, "TIFF"))[0, :, 0].tolist() == expected
    assert decode(encode(image, "PNG"))[0, :, 0].tolist() == expected


def test_white_is_white_in_a_sixteen_bit_tiff_that_counts_down() -> None:
    """Its smallest value is white."""
    image = Image.frombytes("I;16", (2, 1), np.array([[0, 65535]], "<u2").tobytes())
    tags = ImageFileDirectory_v2()
    tags[262] = 0
    data = bytearray(encode(image, "TIFF", tiffinfo=tags))
    entry = data.index(b"\x06\x01\x03\x00\x01\x00\x00\x00")
    data[entry + 8] = 0
    assert decode(bytes(data))[0, :, 0].tolist() == [255, 0]


def test_numbers_that_are_none_do_not_spoil_a_page_of_floats() -> None:
    """What is not a number is paper, what is infinite is as far as it goes."""
    values = np.array([[0.0, 1.0, np.nan, np.inf, -np.inf, 0.5]], np.float32)
    assert decode(encode(Image.fromarray(values), "TIFF"))[0, :, 0].tolist() == [0, 255, 255, 255, 0, 128]


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_a_page_of_one_value_is_blank(value: float) -> None:
    """There is no range to scale by."""
    assert (decode(encode(Image.fromarray(np.full((3, 4), value, np.float32)), "TIFF")) == 255).all()


def rgba_to_palette(image: Image.Image) -> Image.Image:
    """The image with a palette, one colour of which cannot be seen."""
    flat = image.convert("RGB").quantize(4)
    flat.info["transparency"] = flat.getpixel((0, 0))
    return flat


@pytest.mark.parametrize(("ink", "paper"), [("black", 255), ("white", 0), ("navy", 255), ("yellow", 0)])
@pytest.mark.parametrize(
    ("convert", "image_format"),
    [
        (lambda image: image, "PNG"),
        (lambda image: image, "WEBP"),
        (lambda image: image, "TIFF"),
        (lambda image: image.convert("LA"), "PNG"),
        (rgba_to_palette, "PNG"),
        (rgba_to_palette, "GIF"),
    ],
    ids=["PNG", "WebP", "TIFF", "LA", "palette", "GIF"],
)
def test_text_on_nothing_can_be_read(
    ink: str, paper: int, convert: Callable[[Image.Image], Image.Image], image_format: str
) -> None:
    """Dark text is laid on white and light text on black, whatever colour hides behind the transparency."""
    image = convert(draw_text("RGBA", (128, 128, 128, 0), ink))
    options = {"lossless": True, "exact": True} if image_format == "WEBP" else {}
    pixels = decode(encode(image, image_format, **options))
    assert (pixels[~INK] == paper).all()
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY).astype(int)
    assert np.abs(grey[INK] - paper).min() > 60


def test_half_transparent_ink_is_mixed_with_the_paper() -> None:
    """Alpha 128 of black on white is mid-grey."""
    image = Image.new("RGBA", (2, 2), (0, 0, 0, 128))
    assert decode(encode(image, "PNG")).tolist() == [[[127] * 3] * 2] * 2


def test_an_image_of_which_nothing_is_visible_is_a_white_page() -> None:
    """There is no text to be seen on it."""
    assert (decode(encode(Image.new("RGBA", (4, 4), (255, 255, 255, 0)), "PNG")) == 255).all()


def test_one_colour_of_a_grey_or_rgb_png_can_be_transparent() -> None:
    """White text on a colour that stands for nothing comes out on black."""
    grey = draw_text("L", 100, 255)
    colour = draw_text("RGB", (1, 2, 3), "white")
    for data in (encode(grey, "PNG", transparency=100), encode(colour, "PNG", transparency=(1, 2, 3))):
        np.testing.assert_array_equal(decode(data)[:, :, 0], np.where(INK, 255, 0))


def test_a_jpeg_of_a_thousand_scans_is_refused() -> None:
    """Each scan is a pass over the whole page, and takes a dozen bytes."""
    data = encode(make_photo("RGB"), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    with pytest.raises(MalformedImage, match="scans"):
        decode(data[:last] + data[last:-2] * 1000 + b"\xff\xd9")


def test_a_jpeg_may_have_anything_behind_its_end() -> None:
    """Phones append previews and films."""
    data = encode(make_photo("RGB"), "JPEG")
    np.testing.assert_array_equal(decode(data + data + bytes(1000)), decode(data))


def test_the_end_of_a_preview_in_the_metadata_is_not_the_end_of_the_page() -> None:
    """A cut JPEG that carries a whole one in its metadata is still cut."""
    preview = encode(Image.new("RGB", (8, 8)), "JPEG")
    data = encode(make_photo("RGB"), "JPEG", exif=b"Exif\0\0" + preview)
    with pytest.raises(MalformedImage):
        decode(data[:-100])

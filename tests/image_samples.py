"""Small images in each format that is read, as bytes of their files."""

from io import BytesIO

from PIL import Image, ImageDraw

MAX_PIXELS = 1_000_000
FORMATS = ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"]


def draw_page(text: str = "Invoice 0815") -> Image.Image:
    """A small page with a line of text and a patch of colour."""
    page = Image.new("RGB", (96, 48), "white")
    draw = ImageDraw.Draw(page)
    draw.text((4, 4), text, fill="black")
    draw.rectangle((60, 24, 90, 44), fill=(200, 30, 40))
    return page


def encode(image: Image.Image, image_format: str, **options: object) -> bytes:
    """The bytes of an image file."""
    stream = BytesIO()
    image.save(stream, image_format, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def encode_frames(image_format: str, sizes: list[tuple[int, int]], **options: object) -> bytes:
    """An image file whose frame n is grey of 50 times n, in the sizes given."""
    frames = [Image.new("L", size, 50 * (index + 1)).convert("RGB") for index, size in enumerate(sizes)]
    return encode(frames[0], image_format, save_all=True, append_images=frames[1:], **options)


SAMPLES = {name: encode(draw_page(), name) for name in FORMATS} | {
    "progressive JPEG": encode(draw_page(), "JPEG", progressive=True),
    "CMYK JPEG": encode(draw_page().convert("CMYK"), "JPEG"),
    "lossless WebP": encode(draw_page(), "WEBP", lossless=True),
    "LZW TIFF": encode(draw_page(), "TIFF", compression="tiff_lzw"),
    "fax TIFF": encode(draw_page().convert("1"), "TIFF", compression="group4"),
    "BigTIFF": encode(draw_page(), "TIFF", big_tiff=True),
    "TIFF of two frames": encode_frames("TIFF", [(20, 10), (20, 10)]),
    "GIF of two frames": encode_frames("GIF", [(20, 10), (20, 10)]),
    "WebP of two frames": encode_frames("WEBP", [(20, 10), (20, 10)], lossless=True),
    "APNG of two frames": encode_frames("PNG", [(20, 10), (20, 10)]),
}

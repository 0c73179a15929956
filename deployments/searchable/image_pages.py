"""A PDF made of an image file's frames, with text laid invisibly over them."""

from collections.abc import Mapping
from io import BytesIO
from types import MappingProxyType

import numpy as np
import pikepdf
from numpy.typing import NDArray
from pikepdf import Array, Dictionary, Name, Pdf
from PIL import Image as PillowImage

from deployments.document import Image
from deployments.searchable.content import add_font, write_text
from deployments.searchable.font import GlyphlessFont
from deployments.searchable.jpeg import JpegHeader, read_jpeg_header
from deployments.searchable.text import TextPage
from deployments.vision.geometry import turn_clockwise
from deployments.vision.images import ImageDocument

_POINTS_PER_INCH = 72
_A4_PT = (595, 842)
# What a scanner or a fax says is taken at its word. 72 and 96 are what programs write that know of no paper.
_PAPER_DPI = (97, 2400)
# A page's sides in points, as ISO 32000-1 (annex C) bounds them.
_MIN_SIDE_PT, _MAX_SIDE_PT = 3, 14400
_SPACES = {1: Name.DeviceGray, 3: Name.DeviceRGB, 4: Name.DeviceCMYK}

_Square = tuple[tuple[int, int, int], tuple[int, int, int]]
# How the unit square of a stored image (x to the right, y down) comes to stand upright, by EXIF orientation.
_UPRIGHT: Mapping[int, _Square] = MappingProxyType(
    {
        1: ((1, 0, 0), (0, 1, 0)),
        2: ((-1, 0, 1), (0, 1, 0)),
        3: ((-1, 0, 1), (0, -1, 1)),
        4: ((1, 0, 0), (0, -1, 1)),
        5: ((0, 1, 0), (1, 0, 0)),
        6: ((0, -1, 1), (1, 0, 0)),
        7: ((0, -1, 1), (-1, 0, 1)),
        8: ((0, 1, 0), (-1, 0, 1)),
    }
)
# The EXIF orientation that turns clockwise by so many degrees.
_TURNS = {0: 1, 90: 6, 180: 3, 270: 8}


class PrintedImage:
    """The frames of an image file as pages of a new PDF, upright, each with the text that was read on it.

    A JPEG is kept as the bytes that it is, and turned by the page; other frames are stored without loss as
    the pixels that were read (eight bits a channel, opaque). Raises what `ImageDocument` raises.
    """

    def __init__(self, data: bytes, max_pixels: int) -> None:
        self._data = data
        self._document = ImageDocument(data, max_pixels)
        plain = self._document.format == "JPEG" and self._document.page_count == 1
        self._jpeg = read_jpeg_header(data) if plain else None
        self._pdf = Pdf.new()
        self._font = GlyphlessFont(self._pdf)

    def add_page(self, page: TextPage) -> None:
        """Print a frame with its text; one that could not be read is an empty page of A4."""
        if not page.width or not page.height:
            self._pdf.add_blank_page(page_size=_A4_PT)
            return
        if self._jpeg is not None:
            picture, density = self._store_jpeg(self._jpeg), self._jpeg.density
            square = _stack(_UPRIGHT[_TURNS[page.rotation]]) @ _stack(_UPRIGHT[self._jpeg.orientation])
        else:
            frame = self._document.read_page(page.number)
            picture, density = self._store_pixels(turn_clockwise(frame.pixels, page.rotation)), frame.density
            square = np.eye(3)
        if density is not None and page.rotation in (90, 270):
            density = density[1], density[0]
        width_pt, height_pt = size_page(page.width, page.height, density)
        target = self._pdf.add_blank_page(page_size=(width_pt, height_pt))
        target.obj.Resources = Dictionary(XObject=Dictionary(Page=picture))
        # The unit square is seen with y down; pages and images have it upwards.
        flip = np.array([[1, 0, 0], [0, -1, 1], [0, 0, 1]])
        to_page = np.diag([width_pt, height_pt, 1.0]) @ flip
        drawn = to_page @ square @ flip
        numbers = " ".join(f"{value:.5f}" for value in drawn[:2].T.ravel())
        to_text = to_page @ np.diag([1 / page.width, 1 / page.height, 1.0])
        text = write_text(page.runs, to_text, self._font, add_font(target, self._font))
        target.Contents = self._pdf.make_stream(f"q {numbers} cm /Page Do Q\n".encode() + text)

    def save(self) -> bytes:
        """The PDF with the pages that were added."""
        output = BytesIO()
        self._font.finish()
        self._pdf.save(output, stream_decode_level=pikepdf.StreamDecodeLevel.none)
        return output.getvalue()

    def close(self) -> None:
        """Free the pages."""
        self._pdf.close()

    def _store_jpeg(self, header: JpegHeader) -> pikepdf.Object:
        space: pikepdf.Object = _SPACES[header.components]
        if header.profile is not None:
            profile = self._pdf.make_stream(header.profile, N=header.components, Alternate=space)
            space = Array([Name.ICCBased, profile])
        inverted = {"Decode": [1, 0] * header.components} if header.inverted else {}
        return self._pdf.make_stream(
            self._data,
            **_describe_image(header.width, header.height, space, 8),
            Filter=Name.DCTDecode,
            **inverted,
        )

    def _store_pixels(self, pixels: Image) -> pikepdf.Object:
        """Store pixels as a PNG stores them, which PDF's filters understand (ISO 32000-1, 7.4.4.4)."""
        image = _reduce(pixels)
        colours = len(image.getbands())
        bits = 1 if image.mode == "1" else 8
        png = BytesIO()
        image.save(png, "PNG")
        parameters = Dictionary(Predictor=15, Colors=colours, BitsPerComponent=bits, Columns=image.width)
        return self._pdf.make_stream(
            _join_image_data(png.getvalue()),
            **_describe_image(image.width, image.height, _SPACES[colours], bits),
            Filter=Name.FlateDecode,
            DecodeParms=parameters,
        )


def size_page(width: int, height: int, density: tuple[float, float] | None) -> tuple[float, float]:
    """Sides of a page in points, for an image of so many pixels and dots an inch, across and down.

    Where the image does not say how large it is on paper, its longer side is that of A4, or shorter, so that
    there are at least 72 pixels an inch.
    """
    if density is not None and all(_PAPER_DPI[0] <= dpi <= _PAPER_DPI[1] for dpi in density):
        sides = width * _POINTS_PER_INCH / density[0], height * _POINTS_PER_INCH / density[1]
        if all(_MIN_SIDE_PT <= side <= _MAX_SIDE_PT for side in sides):
            return sides
    scale = min(1.0, max(_A4_PT) / max(width, height))
    return width * scale, height * scale


def _describe_image(width: int, height: int, space: pikepdf.Object, bits: int) -> dict[str, object]:
    return {
        "Type": Name.XObject,
        "Subtype": Name.Image,
        "Width": width,
        "Height": height,
        "ColorSpace": space,
        "BitsPerComponent": bits,
    }


def _reduce(pixels: Image) -> PillowImage.Image:
    """The same pixels (uint8, (h, w, 3), BGR) in as few channels and bits as hold them."""
    first = pixels[:, :, 0]
    if not ((first == pixels[:, :, 1]).all() and (first == pixels[:, :, 2]).all()):
        return PillowImage.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))
    grey = PillowImage.fromarray(np.ascontiguousarray(first))
    if ((first == 0) | (first == 255)).all():
        return grey.convert("1", dither=PillowImage.Dither.NONE)
    return grey


def _join_image_data(png: bytes) -> bytes:
    """The compressed rows of a PNG, which may lie in several chunks."""
    position, parts = 8, []
    while position < len(png):
        length = int.from_bytes(png[position : position + 4], "big")
        if png[position + 4 : position + 8] == b"IDAT":
            parts.append(png[position + 8 : position + 8 + length])
        position += 12 + length
    return b"".join(parts)


def _stack(square: _Square) -> NDArray[np.float64]:
    return np.array([*square, (0, 0, 1)], np.float64)

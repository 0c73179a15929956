"""Image files as documents: which kind a file is, how large it says it is, and its frames as pages."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import Literal

from PIL import Image as PillowImage
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from deployments.document import PageImage
from deployments.input_errors import (
    EmptyInput,
    InputError,
    MalformedImage,
    PageOutOfRange,
    TooManyPages,
    TooManyPixels,
    UnsupportedMedia,
)
from deployments.vision.decoding import decode_frame, has_few_scans, read_density
from deployments.vision.geometry import MAX_SIDE_PX

ImageFormat = Literal["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"]

# The plugins themselves and not `PIL.Image.open`: that one measures against a limit of its own, which can be
# moved only for the whole process, and makes frames out of the previews that phones append to a JPEG.
_READERS: dict[ImageFormat, Callable[[BytesIO], ImageFile]] = {
    "PNG": PngImageFile,
    "JPEG": JpegImageFile,
    "WEBP": WebPImageFile,
    "TIFF": TiffImageFile,
    "BMP": BmpImageFile,
    "GIF": GifImageFile,
}
_MAGIC: dict[ImageFormat, re.Pattern[bytes]] = {
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "WEBP": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "TIFF": re.compile(rb"II[*+]\0|MM\0[*+]"),
    # Two letters say little, so the length of the header behind them is asked for too.
    "BMP": re.compile(rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL),
    "GIF": re.compile(rb"GIF8[79]a"),
}
# What nearly all callers send, as large as scanners and phones make it: decoded in some tenths of a second.
_PLAIN_FORMATS = ("JPEG", "PNG")
_MAX_PLAIN_PX = 16_000_000
_PDF_HEADER_WITHIN_BYTES = 1024
# An APNG says any number of frames, and a TIFF can have one for every few bytes.
_MAX_FRAMES = 10_000
_GIF_PADDING = b"\0\r\n"
_TILE_WIDTH_TAG, _TILE_HEIGHT_TAG = 322, 323


def sniff_kind(data: bytes) -> Literal["pdf", "image"]:
    """Tell the kind of a file by its first bytes; a PDF's header may stand up to 1 KiB in.

    Raises `EmptyInput` for no bytes and `UnsupportedMedia` for those of any other kind.
    """
    if not data:
        raise EmptyInput("The file is empty.")
    # Images first: a photo may speak of a PDF in its metadata.
    if _sniff_format(data) is not None:
        return "image"
    if b"%PDF-" in data[:_PDF_HEADER_WITHIN_BYTES]:
        return "pdf"
    raise UnsupportedMedia("The file is of none of the accepted kinds: PDF, PNG, JPEG, WebP, TIFF, BMP, GIF.")


def open_plain_image(data: bytes, max_pixels: int) -> "ImageDocument | None":
    """Open a JPEG or PNG of one frame that takes little time and memory to decode; None for any other image.

    Only headers are read, in Python. Raises as `ImageDocument`.
    """
    if _sniff_format(data) not in _PLAIN_FORMATS:
        return None
    document = ImageDocument(data, max_pixels)
    return document if document.is_plain() else None


class ImageDocument:
    """An image file as a document: every frame of a TIFF, GIF, WebP or APNG is a page.

    Opening reads headers only. Raises `TooManyPixels` when the first frame has more than ``max_pixels``
    pixels, `TooManyPages` for more frames than can be meant, `MalformedImage` when the headers cannot be
    read, and what `sniff_kind` raises. For TIFF and GIF Pillow has a limit of its own, of about 179 million
    pixels, which is reported in the same way.
    A document may go from thread to thread, but serves one at a time.
    """

    def __init__(self, data: bytes, max_pixels: int) -> None:
        if sniff_kind(data) == "pdf":
            raise UnsupportedMedia("The file is a PDF, not an image.")
        self.format: ImageFormat = _sniff_format(data) or "PNG"
        self._data = data
        self._max_pixels = max_pixels
        self._image: ImageFile | None = None
        # A GIF names no number of frames: one that was cut between two of them would lose pages unseen.
        if self.format == "GIF" and not data.rstrip(_GIF_PADDING).endswith(b";"):
            raise MalformedImage("The GIF does not reach its end.")
        with _public_errors("The image cannot be read."):
            image = self._open_image()
            self._check_size(image, 1)
            self.first_page_px = image.width * image.height
            self.page_count = _count_frames(image)

    def read_page(self, number: int) -> PageImage:
        """Decode frame ``number`` (from 1): uint8 of shape (h, w, 3), BGR, upright by EXIF, contiguous.

        How pixels come to be is said by `deployments.vision.decoding.decode_frame`. Raises `PageOutOfRange`,
        `TooManyPixels`, and `MalformedImage` for a frame that is damaged or does not reach its end.
        """
        if not 1 <= number <= self.page_count:
            raise PageOutOfRange(f"The image has {self.page_count} page(s); page {number} was asked for.")
        with _public_errors(f"Page {number} of the image cannot be decoded."):
            # Taken out first, so that a decoder that failed halfway is not used again.
            image, self._image = self._image, None
            if image is None or image.tell() >= number:
                image = self._open_image()
            # One by one, because a GIF may grow with a frame that is only passed over.
            for index in range(image.tell(), number):
                image.seek(index)
                self._check_size(image, index + 1)
            pixels = decode_frame(image, self._data if self.page_count == 1 else None)
            density = read_density(image)
            if self.page_count > 1:
                self._image = image
        return PageImage(number, pixels, density=density)

    def is_plain(self) -> bool:
        """Whether it is a JPEG or PNG of one frame that takes little time and memory to decode."""
        if self.format not in _PLAIN_FORMATS or self.page_count > 1 or self.first_page_px > _MAX_PLAIN_PX:
            return False
        return self.format == "PNG" or has_few_scans(self._open_image(), self._data)

    def close(self) -> None:
        """Let go of the decoder."""
        self._image = None

    def _open_image(self) -> ImageFile:
        return _READERS[self.format](BytesIO(self._data))

    def _check_size(self, image: ImageFile, number: int) -> None:
        sizes = [image.size]
        tags = getattr(image, "tag_v2", {})
        tile_width, tile_height = tags.get(_TILE_WIDTH_TAG), tags.get(_TILE_HEIGHT_TAG)
        # A tile is decoded whole, however little of it lies in the image.
        if isinstance(tile_width, int) and isinstance(tile_height, int):
            sizes.append((tile_width, tile_height))
        for width, height in sizes:
            if max(width, height) > MAX_SIDE_PX or width * height > self._max_pixels:
                raise TooManyPixels(
                    f"Page {number} of the image has {width} x {height} pixels; "
                    f"at most {self._max_pixels} are decoded, and {MAX_SIDE_PX} of a side."
                )


def _count_frames(image: ImageFile) -> int:
    if isinstance(image, TiffImageFile):
        # Not by Pillow's own count, which has no bound and takes time that grows with the square of it.
        count = 1
        with suppress(EOFError):
            while count <= _MAX_FRAMES:
                image.seek(count)
                count += 1
    else:
        count = getattr(image, "n_frames", 1)
    if count > _MAX_FRAMES:
        raise TooManyPages(f"The image has more than {_MAX_FRAMES} frames.")
    return count


def _sniff_format(data: bytes) -> ImageFormat | None:
    return next((name for name, magic in _MAGIC.items() if magic.match(data)), None)


@contextmanager
def _public_errors(message: str) -> Iterator[None]:
    """Say ``message`` for all but `InputError`: on damaged files, Pillow raises nearly anything."""
    try:
        yield
    except InputError:
        raise
    except (PillowImage.DecompressionBombError, PillowImage.DecompressionBombWarning) as error:
        raise TooManyPixels("The image has too many pixels.") from error
    except MemoryError as error:
        raise TooManyPixels("The image takes more memory to decode than the service gives to one.") from error
    except Exception as error:
        raise MalformedImage(message) from error

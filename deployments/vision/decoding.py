"""From an opened image file to pixels as PaddleOCR reads them: BGR, eight bits, upright, opaque."""

import re
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL.ImageFile import ImageFile

from deployments.document import Image
from deployments.errors import MalformedImage

# Encoders write about ten scans; a crafted file has room for a hundred thousand, each a pass over the page.
_MAX_JPEG_SCANS = 500
# Neither a stuffed zero, nor a restart marker, nor a fill byte: only these end the coded data of a scan.
_JPEG_MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_ORIENTATION_TAG, _BITS_TAG, _PHOTOMETRIC_TAG = 274, 258, 262
_MIN_IS_WHITE = 0
_MID_GREY = 127.5
_UPRIGHT: dict[int, Callable[[Image], Image]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels[::-1].swapaxes(0, 1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels[:, ::-1].swapaxes(0, 1),
}


def decode_frame(image: ImageFile, data: bytes | None = None) -> Image:
    """The frame that ``image`` stands at, turned as its EXIF orientation says: uint8, (h, w, 3), BGR, contiguous.

    ``data`` is the whole file when it has no other frame: OpenCV may then decode it, which takes half of
    Pillow's time and gives the same pixels. Transparent pages are laid on white, or on black when what is
    visible of them is mostly light. 16-bit grey is scaled by its range; 32-bit grey by its own darkest and
    lightest pixel. Raises `MalformedImage`, or whatever Pillow raises on a damaged file.
    """
    pixels = None
    if image.format == "JPEG" and data is not None:
        complete = _reach_jpeg_end(data, image.fp.tell() if image.fp else 0)
        # Baseline only: what OpenCV makes of a scan that is missing looks like a page.
        if complete and "progressive" not in image.info:
            pixels = _decode_plain(image, data)
    elif image.format == "PNG" and data is not None and not _may_have_exif(image, data):
        pixels = _decode_plain(image, data)
    if pixels is None:
        image.load()
        pixels = _convert_to_bgr(image)
    turn = _UPRIGHT.get(_read_orientation(image))
    return np.ascontiguousarray(pixels if turn is None else turn(pixels))


def _decode_plain(image: ImageFile, data: bytes) -> Image | None:
    if image.mode not in ("L", "RGB") or "transparency" in image.info:
        return None
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    # The two must agree on what the file is, or the size that was checked is not the size decoded.
    return pixels.astype(np.uint8, copy=False) if pixels is not None and pixels.shape[1::-1] == image.size else None


def _may_have_exif(image: ImageFile, data: bytes) -> bool:
    # Pillow decodes a PNG to its end before it speaks of EXIF, so nothing is won for one that may have it.
    return b"eXIf" in data or any("exif" in str(key).lower() or "xmp" in str(key) for key in image.info)


def _reach_jpeg_end(data: bytes, position: int) -> bool:
    """Whether the file, whose first scan's data starts at ``position``, has an end marker.

    Raises `MalformedImage` for more scans than any encoder writes (as in "Two Issues with the JPEG Standard",
    libjpeg-turbo project, 2015).
    """
    scans = 1
    while match := _JPEG_MARKER.search(data, position):
        marker = match[1][0]
        if marker == _JPEG_END:
            return True
        scans += marker == _JPEG_SCAN
        if scans > _MAX_JPEG_SCANS:
            raise MalformedImage(f"The JPEG has more than {_MAX_JPEG_SCANS} scans.")
        position = match.end() + int.from_bytes(data[match.end() : match.end() + 2], "big")
    return False


def _read_orientation(image: ImageFile) -> int:
    # A frame whose metadata are damaged still has its pixels; Pillow has turned TIFF frames already.
    try:
        if image.format == "PNG" and not image.info.get("exif") and image._im is None:
            return 1
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:
        return 1

"""From an opened image file to pixels as PaddleOCR reads them: BGR, eight bits, upright, opaque."""

import math
import re
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL.ImageFile import ImageFile

from deployments.document import Image
from deployments.input_errors import MalformedImage

# Encoders write about ten scans; a crafted file has room for a hundred thousand, each a pass over the page.
_MAX_JPEG_SCANS = 500
_FEW_JPEG_SCANS = 32
# Neither a stuffed zero, nor a restart marker, nor a fill byte: only these end the coded data of a scan.
_JPEG_MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_ORIENTATION_TAG, _BITS_TAG, _PHOTOMETRIC_TAG = 274, 258, 262
_MIN_IS_WHITE = 0
_MID_GREY = 127.5
_BAND_ROWS = 256
# EXIF orientations whose rows are columns of the upright image.
_LYING = (5, 6, 7, 8)
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
    """Decode the frame that ``image`` stands at, turned as its EXIF orientation says.

    Gives uint8 of shape (h, w, 3), BGR, contiguous. ``data`` is the whole file when it has no
    other frame: OpenCV may then decode it, which takes half of Pillow's time and gives the same pixels.
    Transparent pages are laid on white, or on black when what is visible of them is mostly light. 16-bit
    grey is scaled by its range; 32-bit grey by its own darkest and lightest pixel. Raises `MalformedImage`,
    or whatever Pillow raises on a damaged file.
    """
    pixels = None if data is None else _decode_fast(image, data)
    if pixels is None:
        image.load()
        pixels = _convert_to_bgr(image)
    turn = _UPRIGHT.get(read_orientation(image))
    return np.ascontiguousarray(pixels if turn is None else turn(pixels))


def _decode_fast(image: ImageFile, data: bytes) -> Image | None:
    """Let OpenCV decode a whole, plain JPEG or PNG; None where Pillow has to decide."""
    if image.format == "JPEG":
        complete = _reach_jpeg_end(data, image.fp.tell() if image.fp else 0)
        # Without its end, or without some of its scans, OpenCV would fill a page up with grey.
        plain = complete and "progressive" not in image.info
    else:
        # EXIF behind the pixels of a PNG is found by decoding it, and then Pillow has done the work.
        plain = image.format == "PNG" and b"eXIf" not in data and "transparency" not in image.info
    if not plain or image.mode not in ("L", "RGB"):
        return None
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    return None if pixels is None else pixels.astype(np.uint8, copy=False)


def has_few_scans(image: ImageFile, data: bytes) -> bool:
    """Tell whether a JPEG has no more scans than encoders write, a few times over."""
    try:
        _reach_jpeg_end(data, image.fp.tell() if image.fp else 0, _FEW_JPEG_SCANS)
    except MalformedImage:
        return False
    return True


def _reach_jpeg_end(data: bytes, position: int, max_scans: int = _MAX_JPEG_SCANS) -> bool:
    """Tell whether the file, whose first scan's data starts at ``position``, has an end marker.

    Raises `MalformedImage` for more scans than any encoder writes; the attack is described in "Two Issues
    with the JPEG Standard" by the libjpeg-turbo project.
    """
    scans = 1
    while match := _JPEG_MARKER.search(data, position):
        marker = match[1][0]
        if marker == _JPEG_END:
            return True
        scans += marker == _JPEG_SCAN
        if scans > max_scans:
            raise MalformedImage(f"The JPEG has more than {max_scans} scans.")
        position = match.end() + int.from_bytes(data[match.end() : match.end() + 2], "big")
    return False


def read_orientation(image: ImageFile) -> int:
    """The EXIF orientation of a frame, 1 to 8; 1 where it has none."""
    try:
        # The base class's method, because the one for PNG first decodes the file once more.
        orientation = int(PillowImage.Image.getexif(image).get(_ORIENTATION_TAG, 1))
    except Exception:
        # A frame whose metadata are damaged still has its pixels.
        return 1
    return orientation if orientation in _UPRIGHT else 1


def read_density(image: ImageFile) -> tuple[float, float] | None:
    """Dots an inch that a frame states, across and down once it is upright; None where it states none."""
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except Exception:
        # Missing, or not numbers, or divided by zero.
        return None
    if not (math.isfinite(across) and math.isfinite(down) and across > 0 and down > 0):
        return None
    return (down, across) if read_orientation(image) in _LYING else (across, down)


def _convert_to_bgr(image: ImageFile) -> Image:
    if image.mode.startswith(("I", "F")):
        return _repeat_grey(_scale_to_eight_bits(image))
    if image.mode == "LAB":
        # Pillow hands a and b out as signed bytes, OpenCV wants them around 128.
        lab = np.bitwise_xor(np.asarray(image), np.array([0, 128, 128], np.uint8), dtype=np.uint8)
        return _as_image(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR))
    if image.has_transparency_data:
        return _swap_channels(_lay_on_background(image.convert("RGBA")))
    if image.mode in ("1", "L"):
        return _repeat_grey(np.asarray(image.convert("L")))
    return _convert_in_bands(image)


def _convert_in_bands(image: ImageFile) -> Image:
    """Any colours to BGR, a band of rows at a time: Pillow's copies of a whole page take twice its room."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, _BAND_ROWS):
        band = image.crop((0, top, image.width, min(top + _BAND_ROWS, image.height)))
        pixels[top : top + _BAND_ROWS] = _swap_channels(band.convert("RGB"))
    return pixels


def _lay_on_background(image: PillowImage.Image) -> PillowImage.Image:
    """Lay RGBA on white, or on black when its pixels, weighted by their alpha, are lighter than mid-grey."""
    alpha = image.getchannel("A")
    weights = np.asarray(alpha)
    visible = int(weights.sum(dtype=np.int64))
    light = int(np.einsum("ij,ij->", np.asarray(image.convert("L")), weights, dtype=np.int64))
    page = PillowImage.new("RGB", image.size, "black" if light > _MID_GREY * visible else "white")
    page.paste(image, mask=alpha)
    return page


def _scale_to_eight_bits(image: ImageFile) -> Image:
    """Bring grey of 12, 16 or 32 bits to uint8, (h, w)."""
    values = np.asarray(image)
    tags = getattr(image, "tag_v2", {})
    if image.mode.startswith("I;16"):
        bits = tags.get(_BITS_TAG, (16,))
        dark, light = 0.0, 2.0 ** (bits[0] if isinstance(bits, tuple) else bits) - 1
    else:
        finite = values[np.isfinite(values)]
        dark, light = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if tags.get(_PHOTOMETRIC_TAG) == _MIN_IS_WHITE:
        dark, light = light, dark
    grey = np.full(values.shape, 255, np.uint8)
    if dark == light:
        return grey
    # In bands, because floats of a whole page take eight times its room.
    for top in range(0, len(values), _BAND_ROWS):
        shares = (values[top : top + _BAND_ROWS].astype(np.float64) - dark) / (light - dark)
        grey[top : top + _BAND_ROWS] = np.rint(np.clip(np.nan_to_num(shares, nan=1.0), 0.0, 1.0) * 255)
    return grey


def _repeat_grey(grey: Image) -> Image:
    return _as_image(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))


def _swap_channels(image: PillowImage.Image) -> Image:
    return _as_image(cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR))


def _as_image(pixels: NDArray[np.generic]) -> Image:
    return pixels.astype(np.uint8, copy=False)

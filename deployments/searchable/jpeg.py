"""JPEG files that a PDF can hold as they are."""

from dataclasses import dataclass
from io import BytesIO

from PIL.JpegImagePlugin import JpegImageFile

from deployments.vision.decoding import read_density, read_orientation

# Baseline, extended and progressive: a PDF's filter knows no lossless or arithmetic coding (SOF3 and others).
_READABLE_FRAMES = (0xC0, 0xC1, 0xC2)
_COMPONENTS = {"L": 1, "RGB": 3, "CMYK": 4}
_ICC_SPACES = {1: b"GRAY", 3: b"RGB ", 4: b"CMYK"}


@dataclass(frozen=True)
class JpegHeader:
    """What a PDF has to say of a JPEG: its pixels as they are stored, and how to show them.

    ``orientation`` is that of the EXIF data, 1 to 8; ``density`` the dots an inch of the upright image,
    across and down; ``inverted`` when 0 is full ink; ``profile`` an ICC profile for so many components.
    """

    width: int
    height: int
    components: int
    orientation: int
    density: tuple[float, float] | None
    inverted: bool
    profile: bytes | None


def read_jpeg_header(data: bytes) -> JpegHeader | None:
    """The header of a JPEG; None for one that must be decoded, because a PDF cannot hold it."""
    try:
        image = JpegImageFile(BytesIO(data))
        components = _COMPONENTS.get(image.mode)
        if components is None or _find_frame(data) not in _READABLE_FRAMES:
            return None
    except Exception:
        # Whatever is wrong with it, the decoder will say it better.
        return None
    profile = image.info.get("icc_profile")
    fits = isinstance(profile, bytes) and profile[16:20] == _ICC_SPACES[components]
    return JpegHeader(
        *image.size,
        components,
        read_orientation(image),
        read_density(image),
        # Adobe's programs store inks inverted, and mark their files.
        image.mode == "CMYK" and "adobe" in image.info,
        profile if fits else None,
    )


def _find_frame(data: bytes) -> int:
    """The marker of the first frame; segments before it are passed over, and previews that lie in them."""
    position = 2
    while data[position] == 0xFF:
        marker = data[position + 1]
        # A byte of filling stands before a marker.
        if marker == 0xFF:
            position += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return marker
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return 0

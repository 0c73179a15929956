"""What the XML forms share: characters that XML allows, boxes, languages."""

import math
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from types import MappingProxyType
from xml.etree import ElementTree

import numpy as np

from deployments.blocks import Box
from deployments.document import FloatArray, Page

SOFTWARE_NAME = "ocr-serve"

# What XML 1.0 has no way to write (production 2, `Char`).
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LANGUAGE_TAG = re.compile(r"[a-z]{2,3}")
# PaddleOCR's codes that are no BCP 47 tags.
_LANGUAGES: Mapping[str, str] = MappingProxyType(
    {
        "ch": "zh",
        "chinese_cht": "zh-Hant",
        "japan": "ja",
        "korean": "ko",
        "german": "de",
        "french": "fr",
        "rs_latin": "sr-Latn",
        "rs_cyrillic": "sr-Cyrl",
    }
)
# A line that leans less is called level: the detector is no more exact.
_MIN_ANGLE_DEGREES = 1.0


def clean_text(text: str) -> str:
    """The text with a replacement character for each that XML cannot hold."""
    return _FORBIDDEN.sub("\ufffd", text)


def serialize(root: ElementTree.Element, doctype: str = "") -> bytes:
    """The tree as a whole XML file in UTF-8, which is XHTML that readers of HTML understand too.

    They count on the ends of empty elements, but for those of HTML's own that never have content.
    """
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n{doctype}'
    body = ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)
    return f"{head}{body}\n".replace("></meta>", " />").encode()


def find_language(code: str | None) -> str | None:
    """The BCP 47 tag of a recogniser's language; None where none was asked for, or the code has no tag."""
    if code is None:
        return None
    return _LANGUAGES.get(code, code if _LANGUAGE_TAG.fullmatch(code) else None)


def bound_quad(quad: FloatArray) -> Box:
    """The upright box around a quad (float32, (4, 2))."""
    left, top = quad.min(axis=0).tolist()
    right, bottom = quad.max(axis=0).tolist()
    return left, top, right, bottom


def surround(boxes: Sequence[Box]) -> Box:
    """The box around boxes, of which there is at least one."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def bound_lines(indices: Sequence[int], page: Page) -> Box:
    """The box around lines of a page, given by their indices, of which there is at least one."""
    return surround([bound_quad(page.lines[index].quad) for index in indices])


def measure_angle(quad: FloatArray) -> float:
    """Degrees, anticlockwise, by which a line of text is turned; 0 for one that is level or nearly so."""
    across = quad[1].astype(np.float64) - quad[0]
    degrees = round(-math.degrees(math.atan2(across[1], across[0])), 1)
    return degrees if abs(degrees) >= _MIN_ANGLE_DEGREES else 0.0


def read_version() -> str:
    """The version of this service."""
    return version(SOFTWARE_NAME)

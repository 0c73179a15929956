"""Cutting the figures of a page out of its pixels, as pictures that an answer can carry."""

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2

from deployments.blocks import Block, Box, Picture
from deployments.document import Image

# What a picture says better than its text does.
_PICTURED = frozenset({"figure", "formula", "seal"})
_JPEG_QUALITY = 90
# Drawings stay exact; a photograph is taken as JPEG where that saves more than half of the bytes.
_MUCH_SMALLER = 0.5


def cut_figures(blocks: Sequence[Block], pixels: Image) -> tuple[Block, ...]:
    """The blocks of a page, figures, formulas and seals with their picture.

    ``pixels`` is the upright page, uint8 of shape (h, w, 3), BGR.
    """
    return tuple(
        replace(block, picture=_take_picture(block.box, pixels)) if block.kind in _PICTURED else block
        for block in blocks
    )


def _take_picture(box: Box, pixels: Image) -> Picture | None:
    """The pixels in a box as PNG or JPEG; None for a box that holds none."""
    left, top = max(0, math.floor(box[0])), max(0, math.floor(box[1]))
    cut = pixels[top : max(0, math.ceil(box[3])), left : max(0, math.ceil(box[2]))]
    height, width = cut.shape[:2]
    if not height or not width:
        return None
    png = cv2.imencode(".png", cut)[1].tobytes()
    jpeg = cv2.imencode(".jpg", cut, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))[1].tobytes()
    if len(jpeg) < _MUCH_SMALLER * len(png):
        return Picture("image/jpeg", jpeg, width, height)
    return Picture("image/png", png, width, height)

"""Text-line direction: whether a line crop is upside down, by PP-OCR's 0/180 degree classifier."""

import math
from typing import Any

import cv2
import numpy as np

from deployments.document import FloatArray, Image
from deployments.engines.base import Engine, list_operations
from deployments.models.normalize import ChannelNormalizer

_FLIPPED_CLASS = 1
# PP-OCR's own `cls_thresh`: below it a line stays as it is.
_MIN_CONFIDENCE = 0.9


class DirectionModel:
    """Tells which crops are upside down. Not for use by two threads.

    ``config`` is the network's `inference.yml`. Two families of networks do this: PP-OCR's first ones take
    lines as the recogniser does (`RecResizeImg`: BGR, the aspect kept, padded), PP-LCNet takes them as it
    takes any image (`ResizeImage`: RGB, stretched).
    """

    def __init__(self, engine: Engine, config: dict[str, Any]) -> None:
        self._engine = engine
        operations = list_operations(config)
        self._padded = "RecResizeImg" in operations
        if self._padded:
            _, self._height_px, self._width_px = operations["RecResizeImg"]["image_shape"]
        else:
            self._width_px, self._height_px = operations["ResizeImage"]["size"]
        normalize = operations["NormalizeImage"]
        self._normalizer = ChannelNormalizer(normalize["mean"], normalize["std"])

    def is_flipped(self, crop: Image) -> bool:
        """Whether the crop (uint8, (h, w, 3), BGR) must be turned by 180 degrees."""
        return self.post(self.core(self.pre(crop)))

    def pre(self, crop: Image) -> FloatArray:
        """(1, 3, height, width) float32, normalised: as the network's family wants it."""
        batch = np.zeros((1, 3, self._height_px, self._width_px), np.float32)
        if self._padded:
            aspect_width = math.ceil(self._height_px * crop.shape[1] / crop.shape[0])
            size = (min(self._width_px, max(1, aspect_width)), self._height_px)
            pixels = cv2.resize(crop, size)
        else:
            stretched = cv2.resize(crop, (self._width_px, self._height_px))
            pixels = np.ascontiguousarray(stretched[:, :, ::-1])
        self._normalizer.fill(pixels, batch[0])
        return batch

    def core(self, batch: FloatArray) -> FloatArray:
        """(2,) probabilities of 0 and 180 degrees."""
        return self._engine.run([batch])[0][0]

    def post(self, probabilities: FloatArray) -> bool:
        """Whether the line is upside down with enough certainty."""
        return bool(probabilities[_FLIPPED_CLASS] >= _MIN_CONFIDENCE)

    def warm_up(self) -> None:
        """Run the network once."""
        self.core(np.zeros((1, 3, self._height_px, self._width_px), np.float32))

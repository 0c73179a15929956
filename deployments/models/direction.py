"""Text-line direction: whether a line crop is upside down, by PP-OCR's 0/180 degree classifier."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from deployments.document import FloatArray, Image
from deployments.engines.base import Engine
from deployments.models.normalize import ChannelNormalizer

_HEIGHT_PX, _WIDTH_PX = 48, 192
_HALF = (0.5, 0.5, 0.5)
_FLIPPED_CLASS = 1
# PP-OCR's own `cls_thresh`: below it a line stays as it is.
_MIN_CONFIDENCE = 0.9


class DirectionModel:
    """Tells which crops are upside down. Not for use by two threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._normalizer = ChannelNormalizer(_HALF, _HALF)

    def find_flipped(self, crops: Sequence[Image]) -> list[bool]:
        """For each crop (uint8, (h, w, 3), BGR) whether it must be turned by 180 degrees."""
        return [self.post(self.core(self.pre(crop))) for crop in crops]

    def pre(self, crop: Image) -> FloatArray:
        """(1, 3, 48, 192) float32 in [-1, 1]: height 48, the aspect kept, cut or padded at the right."""
        width = min(_WIDTH_PX, max(1, math.ceil(_HEIGHT_PX * crop.shape[1] / crop.shape[0])))
        batch = np.zeros((1, 3, _HEIGHT_PX, _WIDTH_PX), np.float32)
        self._normalizer.fill(cv2.resize(crop, (width, _HEIGHT_PX)), batch[0])
        return batch

    def core(self, batch: FloatArray) -> FloatArray:
        """(2,) probabilities of 0 and 180 degrees."""
        return self._engine.run([batch])[0][0]

    def post(self, probabilities: FloatArray) -> bool:
        """Whether the line is upside down with enough certainty."""
        return bool(probabilities[_FLIPPED_CLASS] >= _MIN_CONFIDENCE)

    def warm_up(self) -> None:
        """Run the network once."""
        self.core(np.zeros((1, 3, _HEIGHT_PX, _WIDTH_PX), np.float32))

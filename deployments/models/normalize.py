"""Pixels to network input: every 8-bit value has one float, so a table of 256 does the arithmetic."""

from collections.abc import Sequence

import cv2
import numpy as np

from deployments.document import FloatArray, Image


class ChannelNormalizer:
    """Maps uint8 (h, w, 3) to float32 (3, h, w) by ``value * scale / std - mean / std`` a channel.

    The tables are computed in single precision with PaddleX's own order of operations
    (`NormalizeImage`), so the result is the same to the last bit.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], scale: float = 1 / 255) -> None:
        values = np.arange(256, dtype=np.float32)
        self._tables = []
        for channel_mean, channel_std in zip(mean, std, strict=True):
            table = values * np.float32(scale / channel_std)
            table += np.float32(-channel_mean / channel_std)
            self._tables.append(table)

    def fill(self, pixels: Image, out: FloatArray) -> None:
        """Write the normalised ``pixels`` into ``out``, float32 of shape (3, >= h, >= w), top left."""
        height, width = pixels.shape[:2]
        for channel, table in enumerate(self._tables):
            out[channel, :height, :width] = cv2.LUT(pixels[:, :, channel], table)

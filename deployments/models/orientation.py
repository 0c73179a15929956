"""Document orientation: by how much a page is turned, by PP-LCNet_x1_0_doc_ori."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from deployments.document import Angle, FloatArray, Image
from deployments.engines.base import Engine, list_operations
from deployments.models.batch import IsWanted, answer_each, want_all
from deployments.models.normalize import ChannelNormalizer

# The classes say how far the content lies clockwise (0, 90, 180, 270); this is the turn that undoes it.
_UNDOING_TURNS: tuple[Angle, ...] = (0, 270, 180, 90)


class OrientationModel:
    """Says how far a page's content is turned. Not for use by two threads."""

    def __init__(self, engine: Engine, config: dict[str, Any], min_confidence: float) -> None:
        self._engine = engine
        self._min_confidence = min_confidence
        operations = list_operations(config)
        self._short_px = int(operations["ResizeImage"]["resize_short"])
        self._crop_px = int(operations["CropImage"]["size"])
        normalize = operations["NormalizeImage"]
        self._normalizer = ChannelNormalizer(normalize["mean"], normalize["std"])

    def classify_each(
        self, requests: Sequence[Sequence[Image]], is_wanted: IsWanted = want_all
    ) -> list[Angle | Exception]:
        """The turn of each page from its views; a page that fails answers with its error."""

        def classify_all(requests: Sequence[Sequence[Image]], is_wanted: IsWanted) -> list[Angle]:
            return [self.classify(views) if is_wanted(i) else 0 for i, views in enumerate(requests)]

        return answer_each(classify_all, requests, is_wanted)

    def classify(self, views: Sequence[Image]) -> Angle:
        """Degrees clockwise by which a page must be turned to stand upright.

        ``views`` show the page (uint8, (h, w, 3), BGR), the best one first; the next is looked at only when
        the network is not sure. Sure of none of them, the page stays: a wrong turn ruins it.
        """
        for view in views:
            probabilities = self.core(self.pre(view))
            if probabilities.max() >= self._min_confidence:
                return self.post(probabilities)
        return 0

    def pre(self, pixels: Image) -> FloatArray:
        """(1, 3, 224, 224) float32: the short side resized, the centre cut out, RGB, normalised."""
        height, width = pixels.shape[:2]
        scale = self._short_px / min(height, width)
        size = (max(self._crop_px, round(width * scale)), max(self._crop_px, round(height * scale)))
        if (width, height) != size:
            pixels = cv2.resize(pixels, size)
        x, y = (size[0] - self._crop_px) // 2, (size[1] - self._crop_px) // 2
        centre = pixels[y : y + self._crop_px, x : x + self._crop_px, ::-1]
        batch = np.empty((1, 3, self._crop_px, self._crop_px), np.float32)
        self._normalizer.fill(np.ascontiguousarray(centre), batch[0])
        return batch

    def core(self, batch: FloatArray) -> FloatArray:
        """(4,) probabilities of the content lying 0, 90, 180, 270 degrees clockwise."""
        return self._engine.run([batch])[0][0]

    def post(self, probabilities: FloatArray) -> Angle:
        """The turn that undoes the likeliest angle."""
        return _UNDOING_TURNS[int(probabilities.argmax())]

    def warm_up(self) -> None:
        """Run the network once."""
        self.core(np.zeros((1, 3, self._crop_px, self._crop_px), np.float32))

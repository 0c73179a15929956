"""The lines of text in a seal, rings laid flat (PP-OCR's seal detector, a DB network)."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from configs.settings import SealStage
from deployments.document import FloatArray, Image, LineCrop
from deployments.engines.base import Engine, list_operations
from deployments.models.batch import IsWanted, answer_each, want_all
from deployments.models.db_boxes import BoxOptions, find_boxes
from deployments.models.normalize import ChannelNormalizer
from deployments.models.resize import choose_detection_size
from deployments.vision.bands import Bow, fit_bow, lay_bow_flat
from deployments.vision.geometry import crop_lines
from deployments.vision.reading_order import order_lines

_MIN_AREA_PX = 24


class SealModel:
    """Finds the lines of seals. Not for use by two threads."""

    def __init__(self, engine: Engine, config: dict[str, Any], stage: SealStage) -> None:
        self._engine = engine
        self._stage = stage
        operations = list_operations(config)
        normalize = operations["NormalizeImage"]
        self._normalizer = ChannelNormalizer(normalize["mean"], normalize["std"])

    def find_each(
        self, requests: Sequence[Image], is_wanted: IsWanted = want_all
    ) -> list[tuple[LineCrop, ...] | Exception]:
        """The lines of each seal; one that fails answers with its error."""

        def find_all(seals: Sequence[Image], is_wanted: IsWanted) -> list[tuple[LineCrop, ...]]:
            return [self.find(seal) if is_wanted(index) else () for index, seal in enumerate(seals)]

        return answer_each(find_all, requests, is_wanted)

    def find(self, pixels: Image) -> tuple[LineCrop, ...]:
        """Lines of one seal (uint8, (h, w, 3), BGR): rings from the outermost, then what is straight.

        The quad of a ring is the box around it, in pixels of the seal.
        """
        return self.post(self.core(self.pre(pixels)), pixels)

    def pre(self, pixels: Image) -> FloatArray:
        """(1, 3, H, W) float32, resized and normalised."""
        stage = self._stage
        height, width = pixels.shape[:2]
        shape = choose_detection_size(
            height, width, stage.limit_side_len, stage.limit_type, stage.max_side_len
        )
        batch = np.empty((1, 3, *shape), np.float32)
        self._normalizer.fill(cv2.resize(pixels, shape[::-1]), batch[0])
        return batch

    def core(self, batch: FloatArray) -> FloatArray:
        """(H, W) text probabilities."""
        return self._engine.run([batch])[0][0, 0]

    def post(self, probability: FloatArray, pixels: Image) -> tuple[LineCrop, ...]:
        """The lines of a seal from its map."""
        height, width = pixels.shape[:2]
        count, labels, stats, _ = cv2.connectedComponentsWithStats(
            (probability > self._stage.thresh).astype(np.uint8), connectivity=8
        )
        scale = np.array([width / probability.shape[1], height / probability.shape[0]])
        straight = np.zeros_like(probability)
        bows: list[Bow] = []
        for label in range(1, count):
            inside = labels == label
            if stats[label, cv2.CC_STAT_AREA] < _MIN_AREA_PX:
                continue
            if float(probability[inside].mean()) < self._stage.box_thresh:
                continue
            rows, columns = np.nonzero(inside)
            bow = fit_bow((np.column_stack([columns, rows]) + 0.5) * scale)
            if bow is None:
                straight[inside] = probability[inside]
            else:
                bows.append(bow)
        options = BoxOptions(self._stage.thresh, self._stage.box_thresh, self._stage.unclip_ratio)
        quads = find_boxes(straight, height, width, options).quads
        return (
            *(_cut_bow(bow, pixels) for bow in sorted(bows, key=lambda bow: -bow.outer)),
            *crop_lines(pixels, quads[order_lines(quads)]),
        )

    def warm_up(self) -> None:
        """Run the network once."""
        self.find(np.full((self._stage.limit_side_len,) * 2 + (3,), 255, np.uint8))


def _cut_bow(bow: Bow, pixels: Image) -> LineCrop:
    height, width = pixels.shape[:2]
    left, right = np.clip([bow.x - bow.outer, bow.x + bow.outer], 0, width)
    top, bottom = np.clip([bow.y - bow.outer, bow.y + bow.outer], 0, height)
    quad = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    # Nobody knows for certain which way the letters of a ring stand: the direction network says.
    return LineCrop(lay_bow_flat(pixels, bow), quad, upright=False)

"""Page layout: which part of a page is text, title, table, figure and so on (PicoDet).

The exported network ends before its boxes are decoded: each point of four grids has a score for each class
and, for each side, a distribution over distances (Li et al., "Generalized Focal Loss", 2020).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np

from deployments.blocks import BlockKind, Region
from deployments.document import FloatArray, Image
from deployments.engines.base import Engine, list_operations
from deployments.models.batch import IsWanted, answer_each, want_all
from deployments.models.normalize import ChannelNormalizer

_STRIDES_PX = (8, 16, 32, 64)
_MAX_CANDIDATES = 1000
# What the classes of the data sets behind the networks (CDLA, PubLayNet) are called here.
_KINDS: Mapping[str, BlockKind] = MappingProxyType(
    {
        "text": "text",
        "title": "heading",
        "list": "list",
        "figure": "figure",
        "figure_caption": "caption",
        "table": "table",
        "table_caption": "caption",
        "header": "header",
        "footer": "footer",
        "reference": "reference",
        "equation": "formula",
    }
)


class LayoutModel:
    """Finds the regions of a page. Not for use by two threads."""

    def __init__(
        self, engine: Engine, config: dict[str, Any], min_confidence: float, max_overlap: float
    ) -> None:
        self._engine = engine
        self._min_confidence = min_confidence
        self._max_overlap = max_overlap
        operations = list_operations(config)
        self._height_px, self._width_px = operations["Resize"]["target_size"]
        normalize = operations["NormalizeImage"]
        self._normalizer = ChannelNormalizer(normalize["mean"], normalize["std"])
        self._kinds = [_KINDS[label] for label in config["PostProcess"]["label_list"]]

    def find_each(
        self, requests: Sequence[Image], is_wanted: IsWanted = want_all
    ) -> list[tuple[Region, ...] | Exception]:
        """The regions of each page; a page that fails answers with its error."""

        def find_all(pages: Sequence[Image], is_wanted: IsWanted) -> list[tuple[Region, ...]]:
            return [self.find(page) if is_wanted(index) else () for index, page in enumerate(pages)]

        return answer_each(find_all, requests, is_wanted)

    def find(self, pixels: Image) -> tuple[Region, ...]:
        """Regions of one page (uint8, (h, w, 3), BGR), the surest first."""
        height, width = pixels.shape[:2]
        return self.post(self.core(self.pre(pixels)), height, width)

    def pre(self, pixels: Image) -> FloatArray:
        """(1, 3, 800, 608) float32, normalised; the page's proportions are given up, as in training."""
        batch = np.empty((1, 3, self._height_px, self._width_px), np.float32)
        self._normalizer.fill(cv2.resize(pixels, (self._width_px, self._height_px)), batch[0])
        return batch

    def core(self, batch: FloatArray) -> list[FloatArray]:
        """Scores (1, points, classes) of each grid, then distances (1, points, 4 * bins) of each."""
        return self._engine.run([batch])

    def post(self, outputs: Sequence[FloatArray], height: int, width: int) -> tuple[Region, ...]:
        """Regions in pixels of a page of that size, none of them twice."""
        grids = len(outputs) // 2
        decoded = [
            self._decode_grid(scores[0], distances[0], stride)
            for scores, distances, stride in zip(outputs[:grids], outputs[grids:], _STRIDES_PX, strict=True)
        ]
        boxes = np.concatenate([boxes for boxes, _ in decoded])
        scores = np.concatenate([scores for _, scores in decoded])
        scale = np.array([width / self._width_px, height / self._height_px] * 2, np.float32)
        limits = np.array([width, height] * 2, np.float32)
        boxes = np.clip(boxes * scale, 0, limits)
        regions = []
        for kind, best in enumerate(self._kinds):
            of_kind = scores[:, kind]
            found = np.flatnonzero(of_kind >= self._min_confidence)
            sizes = boxes[found].copy()
            sizes[:, 2:] -= sizes[:, :2]
            kept = cv2.dnn.NMSBoxes(
                sizes.tolist(), of_kind[found].tolist(), self._min_confidence, self._max_overlap
            )
            for index in found[np.asarray(kept, np.intp)]:
                left, top, right, bottom = boxes[index].tolist()
                regions.append(Region(best, float(of_kind[index]), (left, top, right, bottom)))
        return tuple(sorted(regions, key=lambda region: -region.confidence))

    def _decode_grid(
        self, scores: FloatArray, distances: FloatArray, stride: int
    ) -> tuple[FloatArray, FloatArray]:
        """Boxes (K, 4) in pixels of the network's input, and their scores (K, classes), of one grid."""
        best = scores.max(axis=1)
        chosen = np.flatnonzero(best >= self._min_confidence)
        chosen = chosen[np.argsort(-best[chosen])][:_MAX_CANDIDATES]
        columns = -(-self._width_px // stride)
        x = (chosen % columns + 0.5) * stride
        y = (chosen // columns + 0.5) * stride
        bins = distances.shape[1] // 4
        weights = distances[chosen].reshape(-1, 4, bins)
        weights = np.exp(weights - weights.max(axis=2, keepdims=True))
        sides = (weights @ np.arange(bins, dtype=np.float32)) / weights.sum(axis=2) * stride
        boxes = np.stack([x - sides[:, 0], y - sides[:, 1], x + sides[:, 2], y + sides[:, 3]], axis=1)
        return boxes.astype(np.float32), scores[chosen]

    def warm_up(self) -> None:
        """Run the network once."""
        self.core(np.zeros((1, 3, self._height_px, self._width_px), np.float32))

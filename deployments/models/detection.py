"""The text detector: pages in, line quads out (PP-OCR's DB network)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import cv2
import numpy as np

from configs.settings import DetectionStage
from deployments.document import DetectedLines, DetectionOptions, FloatArray, Image
from deployments.engines.base import Engine, PixelEngine, list_operations
from deployments.models.batch import IsWanted, answer_each, want_all
from deployments.models.db_boxes import BoxOptions, find_boxes
from deployments.models.normalize import ChannelNormalizer
from deployments.models.resize import choose_detection_size, choose_padding

# The largest page first, whose buffers have room for all others; then an upright and a lying A4 sheet. Other
# shapes compile when they come.
_WARM_UP_ASPECTS = (1.0, 2**0.5, 1 / 2**0.5)

_NO_LINES = DetectedLines(np.empty((0, 4, 2), np.float32), np.empty(0, np.float32))


@dataclass(frozen=True, eq=False)
class DetectionRequest:
    """One page (uint8, (h, w, 3), BGR) and how it is to be looked at."""

    pixels: Image
    options: DetectionOptions = field(default_factory=DetectionOptions)


class DetectionModel:
    """Finds lines of text: resize and normalise, run the network, binarise and box the map.

    Not for use by two threads: its engine is not.
    """

    def __init__(self, engine: Engine, config: dict[str, Any], stage: DetectionStage) -> None:
        self._engine = engine
        self._takes_pixels = getattr(engine, "takes_pixels", False)
        self._stage = stage
        self._max_pages_per_run = stage.knobs.max_items_per_run
        operations = list_operations(config)
        normalize = operations["NormalizeImage"]
        self._normalizer = ChannelNormalizer(normalize["mean"], normalize["std"])

    def set_max_pages_per_run(self, pages: int) -> None:
        """Change how many pages one run of the network may hold."""
        self._max_pages_per_run = pages

    def detect_each(
        self, requests: Sequence[DetectionRequest], is_wanted: IsWanted = want_all
    ) -> list[DetectedLines | Exception]:
        """As `detect`, but a page that fails answers with its error and spoils nobody else's."""
        return answer_each(self.detect, requests, is_wanted)

    def detect(
        self, requests: Sequence[DetectionRequest], is_wanted: IsWanted = want_all
    ) -> list[DetectedLines]:
        """Quads for each page, in order; pages of one resized shape share a run of the network.

        A page that nobody waits for any more has none.
        """
        by_shape: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, request in enumerate(requests):
            by_shape[self.choose_size(request)].append(index)
        results = [_NO_LINES] * len(requests)
        for shape, same_shape in by_shape.items():
            for start in range(0, len(same_shape), self._max_pages_per_run):
                indices = [i for i in same_shape[start : start + self._max_pages_per_run] if is_wanted(i)]
                if not indices:
                    continue
                maps = self.core(self.pre([requests[index] for index in indices], shape))
                for index, probability in zip(indices, maps, strict=True):
                    results[index] = self.post(probability, requests[index])
        return results

    def choose_size(self, request: DetectionRequest) -> tuple[int, int]:
        """Height and width in pixels that the network sees of a page."""
        height, width = choose_padding(*request.pixels.shape[:2])
        return choose_detection_size(
            height,
            width,
            request.options.limit_side_len or self._stage.limit_side_len,
            request.options.limit_type or self._stage.limit_type,
            self._stage.max_side_len,
        )

    def pre(self, requests: Sequence[DetectionRequest], shape: tuple[int, int]) -> FloatArray | Image:
        """What the network takes for pages whose resized shape is ``shape``.

        (N, 3, H, W) float32, normalised; or (N, H, W, 3) uint8 where the engine ``takes_pixels``.
        """
        pages = [self._resize(request.pixels, shape) for request in requests]
        if self._takes_pixels:
            return np.ascontiguousarray(pages[0])[None] if len(pages) == 1 else np.stack(pages)
        batch = np.empty((len(requests), 3, *shape), np.float32)
        for page, out in zip(pages, batch, strict=True):
            self._normalizer.fill(page, out)
        return batch

    def core(self, batch: FloatArray | Image) -> FloatArray:
        """(N, H, W) text probabilities."""
        if self._takes_pixels:
            return cast(PixelEngine, self._engine).run_pixels(cast(Image, batch))[0][:, 0]
        return self._engine.run([cast(FloatArray, batch)])[0][:, 0]

    @staticmethod
    def _resize(pixels: Image, shape: tuple[int, int]) -> Image:
        height, width = pixels.shape[:2]
        padded = choose_padding(height, width)
        if padded != (height, width):
            pixels = cv2.copyMakeBorder(
                pixels, 0, padded[0] - height, 0, padded[1] - width, cv2.BORDER_CONSTANT, value=(0, 0, 0)
            )
        return pixels if pixels.shape[:2] == shape else cv2.resize(pixels, shape[::-1])

    def post(self, probability: FloatArray, request: DetectionRequest) -> DetectedLines:
        """Quads on the page itself from its (H, W) map."""
        options = request.options
        height, width = request.pixels.shape[:2]
        return find_boxes(
            probability,
            height,
            width,
            BoxOptions(
                thresh=_choose(options.thresh, self._stage.thresh),
                box_thresh=_choose(options.box_thresh, self._stage.box_thresh),
                unclip_ratio=_choose(options.unclip_ratio, self._stage.unclip_ratio),
            ),
        )

    def warm_up(self) -> None:
        """Run the network once on the shapes of ordinary pages, so that the first caller does not wait."""
        longest = min(self._stage.limit_side_len, self._stage.max_side_len)
        for aspect in _WARM_UP_ASPECTS:
            height, width = int(longest * min(1.0, aspect)), int(longest * min(1.0, 1 / aspect))
            self.detect([DetectionRequest(np.full((height, width, 3), 255, np.uint8))])


def _choose(asked: float | None, default: float) -> float:
    return default if asked is None else asked

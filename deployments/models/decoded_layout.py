"""Page layout by networks that decode their boxes themselves: PP-DocLayout, RT-DETR or PicoDet inside.

The configuration is that of PaddleX's detectors: steps under ``Preprocess``, classes under ``label_list``.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np

from deployments.blocks import BlockKind, Region
from deployments.document import FloatArray, Image
from deployments.engines.base import Engine
from deployments.errors import ModelError
from deployments.models.batch import IsWanted, answer_each, want_all

# Classes of PP-DocLayout (L, M, S, plus-L, V2, V3); None for parts of a line, which its text region holds.
_KINDS: Mapping[str, BlockKind | None] = MappingProxyType(
    {
        "doc_title": "heading",
        "paragraph_title": "heading",
        "text": "text",
        "vertical_text": "text",
        "aside_text": "text",
        "abstract": "text",
        "content": "text",
        "algorithm": "text",
        "footnote": "text",
        "formula_number": "text",
        "image": "figure",
        "chart": "figure",
        "header_image": "figure",
        "footer_image": "figure",
        "seal": "seal",
        "figure_title": "caption",
        "table_title": "caption",
        "chart_title": "caption",
        "vision_footnote": "caption",
        "table": "table",
        "header": "header",
        "footer": "footer",
        "number": "footer",
        "formula": "formula",
        "display_formula": "formula",
        "inline_formula": None,
        "reference": "reference",
        "reference_content": "reference",
    }
)
_INTERPOLATIONS = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_LANCZOS4)
# What PaddleX takes where the configuration is silent.
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_BOX_COLUMNS = 6


class DecodedLayoutModel:
    """Finds the regions of a page; the interface of `deployments.models.layout.LayoutModel`.

    Raises `ModelError` for a network whose configuration asks for something else than resizing and
    normalising, or whose classes are unknown here.
    """

    def __init__(
        self, engine: Engine, config: dict[str, Any], min_confidence: float, max_overlap: float
    ) -> None:
        self._engine = engine
        self._min_confidence = min_confidence
        self._max_overlap = max_overlap
        steps = {step["type"]: step for step in config["Preprocess"]}
        unknown = [label for label in config["label_list"] if label not in _KINDS]
        if unknown:
            raise ModelError(f"The layout network has classes that are not known here: {', '.join(unknown)}.")
        if not {"Resize", "NormalizeImage"} <= steps.keys() or steps["Resize"].get("keep_ratio"):
            raise ModelError("The layout network wants its page in a way that is not known here.")
        resize, normalize = steps["Resize"], steps["NormalizeImage"]
        self._height_px, self._width_px = resize["target_size"]
        self._interpolation = _INTERPOLATIONS[int(resize.get("interp", 2))]
        self._scale = 1 / 255 if normalize.get("is_scale", True) else 1.0
        self._mean = np.array(normalize.get("mean", _IMAGENET_MEAN), np.float32)
        self._std = np.array(normalize.get("std", _IMAGENET_STD), np.float32)
        self._kinds = [_KINDS[label] for label in config["label_list"]]

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

    def pre(self, pixels: Image) -> list[FloatArray]:
        """The network's inputs in its order, float32.

        The size that it sees, (1, 2), where it asks for that; the page in RGB, (1, 3, h, w); and how much
        smaller than the page that is, (1, 2), height first.
        """
        height, width = pixels.shape[:2]
        rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
        size = (self._width_px, self._height_px)
        resized = cv2.resize(rgb, size, interpolation=self._interpolation).astype(np.float32)
        batch = ((resized * self._scale - self._mean) / self._std).transpose(2, 0, 1)[None]
        scale = np.array([[self._height_px / height, self._width_px / width]], np.float32)
        inputs = [np.ascontiguousarray(batch, np.float32), scale]
        if self._engine.input_count == len(inputs):
            return inputs
        return [np.array([[self._height_px, self._width_px]], np.float32), *inputs]

    def core(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Boxes of shape (n, 6 or more): class, confidence, left, top, right, bottom in pixels of the page.

        The seventh column is the place in the reading order, where the network knows it.
        """
        return self._engine.run(inputs)[0]

    def post(self, boxes: FloatArray, height: int, width: int) -> tuple[Region, ...]:
        """Regions of a page of that size, none of them twice."""
        sure = boxes[(boxes[:, 0] >= 0) & (boxes[:, 1] >= self._min_confidence)]
        sure = sure[np.argsort(-sure[:, 1], kind="stable")]
        limits = np.array([width, height] * 2, np.float32)
        corners = np.clip(sure[:, 2:_BOX_COLUMNS], 0, limits)
        regions: list[Region] = []
        for row, box in zip(sure, corners, strict=True):
            kind = self._kinds[int(row[0])]
            left, top, right, bottom = box.tolist()
            if kind is None or right <= left or bottom <= top:
                continue
            same = (other.box for other in regions if other.kind == kind)
            if all(_measure_overlap(box, (left, top, right, bottom)) < self._max_overlap for box in same):
                order = int(row[_BOX_COLUMNS]) if len(row) > _BOX_COLUMNS else None
                regions.append(Region(kind, float(row[1]), (left, top, right, bottom), order))
        return tuple(regions)

    def warm_up(self) -> None:
        """Run the network once."""
        self.core(self.pre(np.full((self._height_px, self._width_px, 3), 255, np.uint8)))


def _measure_overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, width) * max(0.0, height)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (areas - shared) if areas > shared else 0.0

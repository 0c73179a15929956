"""The classes of a recogniser's steps, by OpenVINO: a product with 18,000 columns, the best of each row."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from deployments.document import FloatArray
from deployments.engines.base import StepClasses
from deployments.engines.openvino_graph import ClassifiedSteps, build_classifier

# Enough to fetch the weights of the classes seldom, few enough for the result to stay in the cache.
_ROWS_PER_RUN = 64


class StepClassifier:
    """Says which class each step is: of all lines of a page at once, so that the weights are fetched once.

    A step's class depends on its own features alone. ``compile_network`` compiles for one thread's use.
    """

    def __init__(self, steps: ClassifiedSteps, precision: str, compile_network: Any) -> None:
        network = build_classifier(steps, _ROWS_PER_RUN, precision)
        self._request = compile_network(network).create_infer_request()
        self._features = steps.weights.shape[0]

    def classify(self, encoded: Sequence[FloatArray]) -> list[StepClasses]:
        """Classes (N, T) for each of some features (N, T, features)."""
        if not encoded:
            return []
        features = np.concatenate([one.reshape(-1, self._features) for one in encoded])
        starts = range(0, len(features), _ROWS_PER_RUN)
        picked = [self._classify_rows(features[start : start + _ROWS_PER_RUN]) for start in starts]
        best = np.concatenate([steps.best[0] for steps in picked])
        certainty = np.concatenate([steps.certainty[0] for steps in picked])
        ends = np.cumsum([one.shape[0] * one.shape[1] for one in encoded])[:-1]
        return [
            StepClasses(best.reshape(one.shape[:2]), certainty.reshape(one.shape[:2]))
            for one, best, certainty in zip(
                encoded, np.split(best, ends), np.split(certainty, ends), strict=True
            )
        ]

    def _classify_rows(self, features: FloatArray) -> StepClasses:
        rows = len(features)
        if rows < _ROWS_PER_RUN:
            # One shape for all: a network pays for each change.
            features = np.concatenate(
                [features, np.zeros((_ROWS_PER_RUN - rows, self._features), np.float32)]
            )
        self._request.infer([features], share_inputs=True, share_outputs=True)
        logits = self._request.get_output_tensor(0).data[None, :rows]
        # NumPy knows no bfloat16: OpenVINO hands its bits over as those of another two-byte type.
        return pick_from_bits(logits.view(np.uint16)) if logits.itemsize == 2 else pick_classes(logits)


def pick_from_bits(bits: NDArray[np.uint16]) -> StepClasses:
    """Best classes for logits (N, T, classes) given as the bits of bfloat16 numbers."""
    # As integers, positive floating point numbers have the same order; negative ones have the reverse one.
    best = bits.view(np.int16).argmax(axis=2)
    top = np.take_along_axis(bits, best[:, :, None], axis=2)
    if (top >> 15).any():
        return pick_classes(_widen(bits))
    spoken = best != 0
    return StepClasses(best, _rate(_widen(bits[spoken]), spoken, best))


def pick_classes(logits: FloatArray) -> StepClasses:
    """Best classes for float32 logits (N, T, classes)."""
    best = logits.argmax(axis=2)
    spoken = best != 0
    return StepClasses(best, _rate(np.array(logits[spoken]), spoken, best))


def _widen(bits: NDArray[np.uint16]) -> FloatArray:
    """Single precision for the bits of bfloat16: the same number with sixteen more bits."""
    wide = bits.astype(np.uint32)
    wide <<= 16
    return wide.view(np.float32)


def _rate(logits: FloatArray, spoken: NDArray[np.bool_], best: NDArray[np.intp]) -> FloatArray:
    """Probabilities (N, T) of the best classes, 0 at blanks; overwrites those of the ``spoken``."""
    certainty = np.zeros(best.shape, np.float32)
    if len(logits):
        logits -= logits[np.arange(len(logits)), best[spoken]][:, None]
        # Five times faster than NumPy's own.
        cv2.exp(logits, logits)
        # As is its sum of rows: three times.
        certainty[spoken] = 1.0 / np.einsum("ij->i", logits)
    return certainty

"""A deterministic engine with no weights, for tests and demos of the whole service.

It answers in the shapes of the real networks, from the pixels alone: the detector marks ink, the recogniser
spells a digest of the crop. So two callers whose pages are mixed up see each other's text, and a text that
depends on its batch shows.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from configs.settings import EngineOptions
from deployments.document import FloatArray
from deployments.engines.base import NetworkFiles
from deployments.errors import ModelError

FAKE_ALPHABET = "0123456789abcdef"
_CTC_STRIDE_PX = 8
_INK_LEVEL = -0.5
_INK_SPREAD_PX = (25, 5)
_DIGEST_LETTERS = 8


# What the fake formula reader's tokenizer knows: the marks of a sequence and four signs.
_FAKE_SIGNS = ["<s>", "<pad>", "</s>", "<unk>", "a", "+", "b", "^"]
_FAKE_TAGS = ["<tr>", "</tr>", "<td></td>"]
_NORMALIZE = {"NormalizeImage": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}
FAKE_CONFIGS: dict[str, dict[str, Any]] = {
    "text_detection": {"PreProcess": {"transform_ops": [_NORMALIZE]}},
    "text_recognition": {
        "PreProcess": {"transform_ops": [{"RecResizeImg": {"image_shape": [3, 48, 320]}}]},
        "PostProcess": {"character_dict": list(FAKE_ALPHABET)},
    },
    "doc_orientation": {
        "PreProcess": {
            "transform_ops": [
                {"ResizeImage": {"resize_short": 256}},
                {"CropImage": {"size": 224}},
                _NORMALIZE,
            ]
        }
    },
    "textline_orientation": {
        "PreProcess": {"transform_ops": [{"ResizeImage": {"size": [160, 80]}}, _NORMALIZE]}
    },
    "layout_detection": {
        "PreProcess": {"transform_ops": [{"Resize": {"target_size": [64, 64]}}, _NORMALIZE]},
        "PostProcess": {"label_list": ["text", "table"]},
    },
    "table_structure_recognition": {
        "PreProcess": {"transform_ops": [{"PaddingTableImage": {"size": [64, 64]}}, _NORMALIZE]},
        "PostProcess": {"character_dict": _FAKE_TAGS},
    },
    "image_unwarping": {},
    "formula_recognition": {
        "PreProcess": {"transform_ops": [{"UniMERNetImgDecode": {"input_size": [64, 64]}}]},
        "PostProcess": {
            "name": "UniMERNetDecode",
            "character_dict": {
                "fast_tokenizer_file": {
                    "version": "1.0",
                    "added_tokens": [],
                    "model": {
                        "type": "WordLevel",
                        "vocab": {sign: number for number, sign in enumerate(_FAKE_SIGNS)},
                        "unk_token": "<unk>",
                    },
                }
            },
        },
    },
    "seal_text_detection": {"PreProcess": {"transform_ops": [_NORMALIZE]}},
}


class FakeEngine:
    """Stands in for a network of a given task; see `deployments.engines.base.Engine`."""

    name = "fake"
    version = "1"
    device = "cpu"
    precision = "f32"

    def __init__(self, files: NetworkFiles, options: EngineOptions) -> None:
        tasks: dict[str, Callable[[FloatArray], FloatArray | list[FloatArray]]] = {
            "text_detection": _mark_ink,
            "text_recognition": _spell_digests,
            "doc_orientation": _say_upright,
            "textline_orientation": _say_upright,
            "layout_detection": _see_no_region,
            "table_structure_recognition": _see_one_cell,
            "image_unwarping": _see_no_warp,
            "formula_recognition": _spell_a_sum,
            "seal_text_detection": _mark_ink,
        }
        if files.task not in tasks:
            raise ModelError(f"The fake engine has no network for {files.task!r}.")
        self._network = tasks[files.task]
        self._delay_s = options.fake_delay_ms / 1000
        self._leak_bytes = int(options.fake_leak_mib * 1024 * 1024)
        self._leaked: list[bytes] = []
        self._stall_file = Path(options.fake_stall_file) if options.fake_stall_file else None

    @property
    def input_count(self) -> int:
        """Every network that it stands for has one."""
        return 1

    def run(self, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        """Outputs for the first input (float32, batch first)."""
        if self._stall_file is not None:
            self._stall(self._stall_file)
        if self._delay_s:
            time.sleep(self._delay_s)
        if self._leak_bytes:
            # Not zeros: the system gives no memory for pages that nobody has written to.
            self._leaked.append(b"\xff" * self._leak_bytes)
        output = self._network(inputs[0])
        return output if isinstance(output, list) else [output]

    @staticmethod
    def _stall(file: Path) -> None:
        try:
            # Who takes it away is the one that stalls: its successor is well.
            file.unlink()
        except FileNotFoundError:
            return
        while True:
            time.sleep(3600)


def _mark_ink(batch: FloatArray) -> FloatArray:
    """(N, 3, H, W) normalised pages -> (N, 1, H, W) text probability: ink, spread to join letters."""
    ink = (batch.mean(axis=1) < _INK_LEVEL).astype(np.float32)
    kernel = np.ones(_INK_SPREAD_PX[::-1], np.uint8)
    return np.stack([cv2.dilate(page, kernel) for page in ink])[:, None].astype(np.float32)


def _spell_digests(batch: FloatArray) -> FloatArray:
    """(N, 3, 48, W) crops -> (N, W / 8, classes) probabilities that spell the start of each crop's digest."""
    steps = max(1, batch.shape[3] // _CTC_STRIDE_PX)
    output = np.zeros((batch.shape[0], steps, len(FAKE_ALPHABET) + 2), np.float32)
    output[:, :, 0] = 1.0
    for row, crop in enumerate(batch):
        digest = hashlib.sha256(np.ascontiguousarray(crop).tobytes()).hexdigest()
        # Every second step is blank, so that a repeated letter is not merged with its neighbour.
        for position, letter in enumerate(digest[: min(_DIGEST_LETTERS, (steps + 1) // 2)]):
            output[row, 2 * position, 0] = 0.0
            output[row, 2 * position, 1 + FAKE_ALPHABET.index(letter)] = 1.0
    return output


def _say_upright(batch: FloatArray) -> FloatArray:
    """(N, 3, H, W) images -> (N, 4) class probabilities: the first class, with certainty."""
    output = np.zeros((batch.shape[0], 4), np.float32)
    output[:, 0] = 1.0
    return output


def _see_no_region(batch: FloatArray) -> list[FloatArray]:
    """(1, 3, 64, 64) pages -> scores and distances of four grids: nothing anywhere."""
    points = [(batch.shape[2] // stride) ** 2 for stride in (8, 16, 32, 64)]
    scores = [np.zeros((1, count, 2), np.float32) for count in points]
    return [*scores, *(np.zeros((1, count, 32), np.float32) for count in points)]


def _see_no_warp(batch: FloatArray) -> FloatArray:
    """(N, 3, H, W) pages -> the same pages."""
    return batch


def _spell_a_sum(batch: FloatArray) -> FloatArray:
    """(N, 1, H, W) formulas -> (N, 5) tokens: a sum."""
    written = [_FAKE_SIGNS.index(sign) for sign in ("<s>", "a", "+", "b", "</s>")]
    return np.tile(np.array(written, np.float32), (batch.shape[0], 1))


def _see_one_cell(batch: FloatArray) -> list[FloatArray]:
    """(1, 3, 64, 64) tables -> quads and tags: one cell that is all of the table."""
    # The begin and the end stand around the tags.
    written = [1 + _FAKE_TAGS.index(tag) for tag in ("<tr>", "<td></td>", "</tr>")] + [1 + len(_FAKE_TAGS)]
    tags = np.zeros((1, len(written), 2 + len(_FAKE_TAGS)), np.float32)
    tags[0, range(len(written)), written] = 1.0
    quads = np.tile(np.array([0, 0, 1, 0, 1, 1, 0, 1], np.float32), (1, len(written), 1))
    return [quads, tags]

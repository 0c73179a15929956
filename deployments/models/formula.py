"""Formulas as LaTeX (PP-FormulaNet): PaddleX's own steps around a network that any engine runs."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from deployments.document import FloatArray, Image
from deployments.engines.base import Engine, list_operations
from deployments.errors import ModelError
from deployments.models.batch import IsWanted, answer_each, want_all

# The marks around a sequence, for tokenizers that do not know them as such.
_MARKS = ("<s>", "</s>", "<pad>")


class FormulaModel:
    """Reads the formula on an image. Not for use by two threads.

    Raises `ModelError` for a network whose configuration asks for other steps than PP-FormulaNet's.
    """

    def __init__(self, engine: Engine, config: dict[str, Any]) -> None:
        # Takes seconds, and only replicas of this stage need it.
        from paddlex.inference.models.formula_recognition import processors

        operations = list_operations(config)
        if "UniMERNetImgDecode" not in operations or config["PostProcess"].get("name") != "UniMERNetDecode":
            raise ModelError("The formula network wants its images in a way that is not known here.")
        self._engine = engine
        self._fit = processors.UniMERNetImgDecode(operations["UniMERNetImgDecode"]["input_size"])
        self._normalize = processors.UniMERNetTestTransform()
        self._lay_out = processors.LatexImageFormat()
        self._decode = processors.UniMERNetDecode(character_list=config["PostProcess"]["character_dict"])

    def read_each(self, requests: Sequence[Image], is_wanted: IsWanted = want_all) -> list[str | Exception]:
        """The formula on each image; one that fails answers with its error."""

        def read_all(formulas: Sequence[Image], is_wanted: IsWanted) -> list[str]:
            return [self.read(one) if is_wanted(index) else "" for index, one in enumerate(formulas)]

        return answer_each(read_all, requests, is_wanted)

    def read(self, pixels: Image) -> str:
        """LaTeX without delimiters for one image (uint8, (h, w, 3), BGR); empty where none was read."""
        return self.post(self.core(self.pre(pixels)))

    def pre(self, pixels: Image) -> FloatArray:
        """(1, 1, h, w) float32: margins cut off, fitted into the network's size, normalised, grey."""
        rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
        (batch,) = self._lay_out(self._normalize(self._fit([rgb])))
        return np.ascontiguousarray(batch, np.float32)

    def core(self, batch: FloatArray) -> FloatArray:
        """Tokens, of shape (T,)."""
        return self._engine.run([batch])[0].reshape(-1)

    def post(self, tokens: FloatArray) -> str:
        """The tokens as LaTeX."""
        (text,) = self._decode([tokens.astype(np.int64)])
        for mark in _MARKS:
            text = text.replace(mark, "")
        return str(text).strip()

    def warm_up(self) -> None:
        """Run the network once, on two strokes."""
        pixels = np.full((48, 96, 3), 255, np.uint8)
        pixels[16:20, 16:80] = pixels[28:32, 16:80] = 0
        self.read(pixels)

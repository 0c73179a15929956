"""Photographed pages made flat (UVDoc)."""

from collections.abc import Sequence

import numpy as np

from deployments.document import FloatArray, Image
from deployments.engines.base import Engine
from deployments.models.batch import IsWanted, answer_each, want_all

_WARM_UP_PX = (712, 488)


class UnwarpingModel:
    """Makes pages flat; the network looks for the warp itself. Not for use by two threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def unwarp_each(
        self, requests: Sequence[Image], is_wanted: IsWanted = want_all
    ) -> list[Image | Exception]:
        """Each page made flat; a page that fails answers with its error."""

        def unwarp_all(pages: Sequence[Image], is_wanted: IsWanted) -> list[Image]:
            return [self.unwarp(page) if is_wanted(index) else page for index, page in enumerate(pages)]

        return answer_each(unwarp_all, requests, is_wanted)

    def unwarp(self, pixels: Image) -> Image:
        """One page (uint8, (h, w, 3), BGR) made flat, in as many pixels."""
        return self.post(self.core(self.pre(pixels)))

    def pre(self, pixels: Image) -> FloatArray:
        """(1, 3, h, w) float32 from 0 to 1, the channels as they come."""
        return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32) / np.float32(255)

    def core(self, batch: FloatArray) -> FloatArray:
        """(3, h, w) float32 from 0 to 1."""
        return self._engine.run([batch])[0][0]

    def post(self, flat: FloatArray) -> Image:
        """uint8 of shape (h, w, 3)."""
        scaled = np.clip(flat * np.float32(255), 0, 255).astype(np.uint8)
        return np.ascontiguousarray(scaled.transpose(1, 2, 0))

    def warm_up(self) -> None:
        """Run the network once."""
        self.unwarp(np.full((*_WARM_UP_PX, 3), 255, np.uint8))

"""Deployment that opens strangers' files, apart from the rest: a hostile one can only kill its process."""

import uuid

import numpy as np
from numpy.typing import NDArray
from ray import serve

from configs.settings import RendererStage
from deployments.allocator import return_large_blocks
from deployments.document import PageImage
from deployments.recycling import Recycler
from deployments.sandbox.files import SandboxedFiles
from deployments.searchable.text import TextPage


@serve.deployment
class Renderer:
    """Adds to `SandboxedFiles`: a replica, and health. Files are their bytes, uint8 of shape (n,)."""

    def __init__(self, stage: RendererStage) -> None:
        return_large_blocks()
        self._files = SandboxedFiles(stage)
        self._files.sandbox.start()
        rank = serve.get_replica_context().rank.rank
        read_bytes = self._files.sandbox.read_private_bytes
        self._recycler = Recycler("renderer", stage.memory, rank, read_private_bytes=read_bytes)

    async def measure(self, key: str, data: NDArray[np.uint8], dpi: int) -> tuple[int, int]:
        """Pages of a PDF, and the pixels of the first at ``dpi``. Raises `MalformedPdf`, `EncryptedPdf`."""
        return await self._files.measure_pdf(key, data, dpi)

    async def render_page(
        self, key: str, data: NDArray[np.uint8], number: int, dpi: int, with_layer: bool
    ) -> PageImage:
        """Page ``number`` (from 1) at ``dpi`` dots an inch. Raises `MalformedPdf` when it cannot be drawn."""
        return await self._files.render_page(key, data, number, dpi, with_layer)

    async def measure_image(self, key: str, data: NDArray[np.uint8], max_pixels: int) -> tuple[int, int]:
        """Frames of an image file, and the pixels of the first. Raises `InputError`."""
        return await self._files.measure_image(key, data, max_pixels)

    async def read_frame(self, key: str, data: NDArray[np.uint8], number: int, max_pixels: int) -> PageImage:
        """Frame ``number`` (from 1) of an image file. Raises `InputError` when it cannot be decoded."""
        return await self._files.read_frame(key, data, number, max_pixels)

    async def write_pdf(self, data: NDArray[np.uint8], pages: tuple[TextPage, ...], max_pixels: int) -> bytes:
        """Pages of a file as a PDF, each with its text laid over it. Raises `InputError`."""
        return await self._files.write_pdf(uuid.uuid4().hex, data, pages, max_pixels)

    def check_health(self) -> None:
        """Raise when the replica and its processes are too large, so that Serve replaces it."""
        self._recycler.check()

    def __del__(self) -> None:
        self._files.sandbox.close()

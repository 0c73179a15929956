"""Deployment that opens strangers' files, apart from the rest: a hostile one can only kill its process."""

import uuid

import numpy as np
from numpy.typing import NDArray
from ray import serve

from configs.settings import RendererStage
from deployments.allocator import return_large_blocks
from deployments.call_context import CallContext
from deployments.document import PageImage
from deployments.metrics import make_recorder, show_memory
from deployments.recycling import Recycler
from deployments.replica_logs import observe_call, start_observing
from deployments.sandbox.files import SandboxedFiles
from deployments.searchable.text import TextPage

Bytes = NDArray[np.uint8]


@serve.deployment
class Renderer:
    """Adds to `SandboxedFiles`: a replica, and health. Files are their bytes, uint8 of shape (n,)."""

    def __init__(self, stage: RendererStage) -> None:
        return_large_blocks()
        context = serve.get_replica_context()
        start_observing(context.deployment, context.replica_id.unique_id)
        self._recorder = make_recorder()
        self._files = SandboxedFiles(stage)
        self._files.sandbox.start()
        read_bytes = self._files.sandbox.read_private_bytes
        self._recycler = Recycler("renderer", stage.memory, context.rank.rank, read_private_bytes=read_bytes)

    async def measure(
        self, key: str, data: Bytes, dpi: int, call: CallContext | None = None
    ) -> tuple[int, int]:
        """Pages of a PDF, and the pixels of the first at ``dpi``. Raises `MalformedPdf`, `EncryptedPdf`."""
        with observe_call("renderer", "measure", call):
            return await self._files.measure_pdf(key, data, dpi)

    async def render_page(
        self,
        key: str,
        data: Bytes,
        number: int,
        dpi: int,
        with_layer: bool,
        call: CallContext | None = None,
    ) -> PageImage:
        """Page ``number`` (from 1) at ``dpi`` dots an inch. Raises `MalformedPdf` when it cannot be drawn."""
        with observe_call("renderer", "render_page", call):
            return await self._files.render_page(key, data, number, dpi, with_layer)

    async def measure_image(
        self, key: str, data: Bytes, max_pixels: int, call: CallContext | None = None
    ) -> tuple[int, int]:
        """Frames of an image file, and the pixels of the first. Raises `InputError`."""
        with observe_call("renderer", "measure_image", call):
            return await self._files.measure_image(key, data, max_pixels)

    async def read_frame(
        self, key: str, data: Bytes, number: int, max_pixels: int, call: CallContext | None = None
    ) -> PageImage:
        """Frame ``number`` (from 1) of an image file. Raises `InputError` when it cannot be decoded."""
        with observe_call("renderer", "read_frame", call):
            return await self._files.read_frame(key, data, number, max_pixels)

    async def write_pdf(
        self, data: Bytes, pages: tuple[TextPage, ...], max_pixels: int, call: CallContext | None = None
    ) -> bytes:
        """Pages of a file as a PDF, each with its text laid over it. Raises `InputError`."""
        with observe_call("renderer", "write_pdf", call):
            return await self._files.write_pdf(uuid.uuid4().hex, data, pages, max_pixels)

    async def probe(self) -> None:
        """Return when the replica answers: its processes are replaced as they die."""

    def check_health(self) -> None:
        """Raise when the replica and its processes are too large, so that Serve replaces it."""
        show_memory(self._recorder, "renderer")
        self._recycler.check()

    def __del__(self) -> None:
        self._files.sandbox.close()

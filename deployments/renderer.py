"""Deployment that draws and writes PDF files, apart from the rest: a hostile file can only kill this one."""

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
from deployments.searchable.text import TextPage
from deployments.searchable.writer import PdfWriter, open_writer
from deployments.vision.pdf_shelf import PdfShelf
from deployments.worker import Worker


@serve.deployment
class Renderer:
    """Draws pages of PDF files with pypdfium2, which allows one thread a process, and writes PDF files."""

    def __init__(self, stage: RendererStage) -> None:
        return_large_blocks()
        context = serve.get_replica_context()
        start_observing(context.deployment, context.replica_id.unique_id)
        self._recorder = make_recorder()
        self._max_pixels = stage.max_page_pixels
        self._shelf = PdfShelf()
        self._worker = Worker("renderer", stuck_after_s=stage.page_timeout_s)
        self._recycler = Recycler("renderer", stage.memory, context.rank.rank)

    async def measure(
        self, key: str, data: NDArray[np.uint8], dpi: int, call: CallContext | None = None
    ) -> tuple[int, int]:
        """Pages of a PDF given as its bytes (uint8, (n,)), and the pixels of the first at ``dpi``.

        Calls with the same ``key`` find the file open. Raises `MalformedPdf`, `EncryptedPdf`.
        """

        def measure() -> tuple[int, int]:
            document = self._shelf.open(key, data.tobytes)
            return document.page_count, document.count_pixels(1, dpi)

        with observe_call("renderer", "measure", call):
            return await self._worker.run(measure)

    async def render_page(
        self,
        key: str,
        data: NDArray[np.uint8],
        number: int,
        dpi: int,
        with_layer: bool,
        call: CallContext | None = None,
    ) -> PageImage:
        """Page ``number`` (from 1) at ``dpi`` dots an inch. Raises `MalformedPdf` when it cannot be drawn."""

        def render() -> PageImage:
            document = self._shelf.open(key, data.tobytes)
            return document.render_page(number, dpi, self._max_pixels, with_layer=with_layer)

        with observe_call("renderer", "render_page", call):
            return await self._worker.run(render)

    async def write_pdf(
        self,
        data: NDArray[np.uint8],
        pages: tuple[TextPage, ...],
        max_pixels: int,
        call: CallContext | None = None,
    ) -> bytes:
        """Pages of a file (uint8, (n,)) as a PDF, each with its text laid over it.

        Page by page, so that other documents' pages are drawn between. Raises `InputError`.
        """

        def open_file() -> PdfWriter:
            return open_writer(data.tobytes(), max_pixels)

        with observe_call("renderer", "write_pdf", call):
            writer = await self._worker.run(open_file)
            try:
                for page in pages:
                    await self._worker.run(writer.add_page, page)
                return await self._worker.run(writer.save)
            finally:
                await self._worker.run(writer.close)

    async def probe(self) -> None:
        """Return when the thread that draws pages is free."""
        await self._worker.run(lambda: None)

    def check_health(self) -> None:
        """Raise when a page takes too long or the replica is too large, so that Serve replaces it."""
        show_memory(self._recorder, "renderer")
        self._worker.check()
        self._recycler.check()

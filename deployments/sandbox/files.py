"""Strangers' files as the rest of the service sees them: a process that dies is a fault of its file."""

from collections.abc import Awaitable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from configs.settings import RendererStage
from deployments.document import PageImage
from deployments.input_errors import InputError, MalformedImage, MalformedPdf
from deployments.sandbox.pool import ProcessDied, Sandbox, TaskTimedOut
from deployments.searchable.text import TextPage

FileBytes = NDArray[np.uint8]

_LIMITS = "within the limits of time and memory"
_WRITING_ATTEMPTS = 2
ResultT = TypeVar("ResultT")


class SandboxedFiles:
    """Files that are opened, drawn, decoded and written in the processes of a sandbox.

    A file is its bytes (uint8, (n,)); tasks with the same ``key`` find it open. All methods raise
    `InputError`.
    """

    def __init__(self, stage: RendererStage) -> None:
        self.sandbox = Sandbox(stage.processes, stage.process_memory_mib, stage.page_timeout_s)
        self._max_page_pixels = stage.max_page_pixels

    async def measure_pdf(self, key: str, data: FileBytes, dpi: int) -> tuple[int, int]:
        """Pages of a PDF, and the pixels of the first at ``dpi``."""
        fault = MalformedPdf(f"The PDF cannot be opened {_LIMITS}.")
        return await _blame(fault, self.sandbox.run(key, data, "measure_pdf", dpi))

    async def render_page(
        self, key: str, data: FileBytes, number: int, dpi: int, with_layer: bool
    ) -> PageImage:
        """Page ``number`` (from 1) of a PDF at ``dpi`` dots an inch."""
        fault = MalformedPdf(f"Page {number} of the PDF cannot be rendered {_LIMITS}.")
        arguments = (number, dpi, self._max_page_pixels, with_layer)
        return await _blame(fault, self.sandbox.run(key, data, "render_page", *arguments))

    async def measure_image(self, key: str, data: FileBytes, max_pixels: int) -> tuple[int, int]:
        """Frames of an image file, and the pixels of the first."""
        fault = MalformedImage(f"The image cannot be opened {_LIMITS}.")
        return await _blame(fault, self.sandbox.run(key, data, "measure_image", max_pixels))

    async def read_frame(self, key: str, data: FileBytes, number: int, max_pixels: int) -> PageImage:
        """Frame ``number`` (from 1) of an image file."""
        fault = MalformedImage(f"Page {number} of the image cannot be decoded {_LIMITS}.")
        return await _blame(fault, self.sandbox.run(key, data, "read_frame", number, max_pixels))

    async def write_pdf(
        self, key: str, data: FileBytes, pages: tuple[TextPage, ...], max_pixels: int
    ) -> bytes:
        """Pages of a file as a PDF, each with its text laid over it.

        Page by page, so that other documents' pages are drawn between.
        """
        fault: InputError = MalformedPdf(f"The document cannot be written as a PDF {_LIMITS}.")
        for _ in range(_WRITING_ATTEMPTS - 1):
            try:
                return await self._write(key, data, pages, max_pixels)
            except ProcessDied:
                # Perhaps of another document, whose pages were drawn between.
                continue
        return await _blame(fault, self._write(key, data, pages, max_pixels))

    async def call(self, method: str, *arguments: Any) -> Any:
        """A method by the name that `deployments.renderer` has for it, for sources of pages."""
        own = "measure_pdf" if method == "measure" else method
        return await getattr(self, own)(*arguments)

    async def _write(self, key: str, data: FileBytes, pages: tuple[TextPage, ...], max_pixels: int) -> bytes:
        await self.sandbox.run(key, data, "open_writer", max_pixels)
        try:
            for page in pages:
                await self.sandbox.run_step(key, "write_page", page)
            written: FileBytes = await self.sandbox.run_step(key, "save_pdf")
            return written.tobytes()
        finally:
            await self.sandbox.run_step(key, "close_writer")


async def _blame(fault: InputError, task: Awaitable[ResultT]) -> ResultT:
    """The task's result; the file is at fault when its process dies, or takes too long."""
    try:
        return await task
    except (ProcessDied, TaskTimedOut):
        raise fault from None

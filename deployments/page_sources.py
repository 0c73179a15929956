"""Where the pages of a document come from: decoded here, or by the renderer in a process that can die."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from deployments.document import PageImage, ReadOptions
from deployments.vision.images import ImageDocument


class PlainImage:
    """A plain image file, decoded here; see `deployments.flow.PageSource`."""

    def __init__(self, document: ImageDocument) -> None:
        self._document = document
        self.page_count = document.page_count
        self.first_page_px = document.first_page_px

    async def load_page(self, number: int) -> PageImage:
        """The only page."""
        return await asyncio.to_thread(self._document.read_page, number)


@dataclass(frozen=True)
class RemoteFile:
    """A file as the renderer gets it; ``call`` runs one of its methods, ``data`` stands for the bytes."""

    call: Callable[..., Awaitable[Any]]
    key: str
    data: object


@dataclass
class RemotePages:
    """A document whose pages are made elsewhere; see `deployments.flow.PageSource`."""

    file: RemoteFile
    method: str
    options: tuple[object, ...]
    page_count: int
    first_page_px: int

    async def load_page(self, number: int) -> PageImage:
        """Page ``number`` (from 1)."""
        page: PageImage = await self.file.call(
            self.method, self.file.key, self.file.data, number, *self.options
        )
        return page


async def open_pdf(file: RemoteFile, options: ReadOptions) -> RemotePages:
    """The pages of a PDF. Raises `InputError`."""
    page_count, first_page_px = await file.call("measure", file.key, file.data, options.dpi)
    drawing = (options.dpi, options.text_layer != "ignore")
    return RemotePages(file, "render_page", drawing, page_count, first_page_px)


async def open_image(file: RemoteFile, max_pixels: int) -> RemotePages:
    """The frames of an image file. Raises `InputError`."""
    page_count, first_page_px = await file.call("measure_image", file.key, file.data, max_pixels)
    return RemotePages(file, "read_frame", (max_pixels,), page_count, first_page_px)

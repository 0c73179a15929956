"""Writes a document in the form that its caller wants, away from the event loop."""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType

from deployments.blocks import Block
from deployments.document import Document, ReadOptions
from deployments.input_errors import InvalidOption, OnePageOnly
from deployments.vision.geometry import turn_clockwise
from deployments.vision.overlay import draw_overlay
from serve_app.api.reader import PageShower
from serve_app.error_codes import rebuild_error
from serve_app.forms.alto import write_alto
from serve_app.forms.delimited import write_csv
from serve_app.forms.hocr import write_hocr
from serve_app.forms.html import write_html
from serve_app.forms.markdown import write_document
from serve_app.forms.spreadsheet import write_xlsx
from serve_app.options import ResultFormat


def _write_text(document: Document) -> bytes:
    pages = (_join_blocks(page.blocks) for page in document.pages if page.error is None)
    return "\n\n".join(pages).encode()


def _join_blocks(blocks: tuple[Block, ...]) -> str:
    return "\n\n".join(block.text for block in blocks if block.text)


# The forms for which the document itself is enough.
_WRITERS: Mapping[ResultFormat, Callable[[Document], bytes]] = MappingProxyType(
    {
        "markdown": lambda document: (write_document(document) + "\n").encode(),
        "html": lambda document: write_html(document).encode(),
        "text": _write_text,
        "csv": lambda document: write_csv(document).encode(),
        "hocr": write_hocr,
        "alto": write_alto,
        "xlsx": write_xlsx,
    }
)


async def check_form(form: ResultFormat, reader: PageShower, data: bytes, options: ReadOptions) -> None:
    """Raise `OnePageOnly` before anything is read when the form cannot hold the pages asked for.

    And `InvalidOption` when it shows pages of the file, which pages made flat no longer lie over.
    """
    if options.unwarp and form in ("pdf", "overlay"):
        raise InvalidOption(f"The format {form} shows the pages of the file: it cannot be had with `unwarp`.")
    if form != "overlay" or (options.pages is not None and len(options.pages) == 1):
        return
    if options.pages is None:
        async with reader.open_pages(data, options) as source:
            if source.page_count == 1:
                return
    raise OnePageOnly("An overlay shows one page: choose it with `pages`.")


async def write_form(
    form: ResultFormat, reader: PageShower, data: bytes, document: Document, options: ReadOptions
) -> bytes:
    """The document, which was read from ``data``, in one of the forms that are not JSON; texts in UTF-8.

    Raises `ServiceError`: pages are loaded once more for a form that shows them.
    """
    if form == "pdf":
        return await reader.write_pdf(data, document)
    if form == "overlay":
        return await _write_overlay(reader, data, document, options)
    return await asyncio.to_thread(_WRITERS[form], document)


async def _write_overlay(reader: PageShower, data: bytes, document: Document, options: ReadOptions) -> bytes:
    page = document.pages[0]
    if page.error is not None:
        raise rebuild_error(page.error.code, page.error.message)
    async with reader.open_pages(data, options) as source:
        image = await source.load_page(page.number)
    return await asyncio.to_thread(lambda: draw_overlay(turn_clockwise(image.pixels, page.rotation), page))

"""A document as Markdown (GitHub's, with tables that have spans as HTML inside)."""

import re

from deployments.blocks import Block, Table
from deployments.document import Document, Page
from deployments.structure.lists import UNCOUNTED, Item, read_items
from serve_app.forms.html import write_data_uri, write_table

# What would be markup at the start of a line, or anywhere in it.
_AT_START = re.compile(r"^(?=[#>+\-=|])|(?<=^\d)(?=[.)]\s)|(?<=^\d\d)(?=[.)]\s)", re.MULTILINE)
_ANYWHERE = re.compile(r"([\\`*_\[\]<>])")
# Deep enough for the text of any item above.
_INDENT = "    "
_NUMBERED = ("number.", "number)", "(number)")


def write_document(document: Document, pictures: bool = True) -> str:
    """All pages, an empty line between two; a page that could not be read is a comment that says why.

    ``pictures`` of blocks that have one stand in the text as data URIs.
    """
    return "\n\n".join(filter(None, (_write_page_or_error(page, pictures) for page in document.pages)))


def _write_page_or_error(page: Page, pictures: bool) -> str:
    if page.error is not None:
        return f"<!-- page {page.number}: {page.error.code} -->"
    return write_page(page, pictures)


def write_page(page: Page, pictures: bool = True) -> str:
    """The page's blocks; running headers and footers are left out, as in a text that goes on."""
    return "\n\n".join(filter(None, (_write_block(block, page, pictures) for block in page.blocks)))


def _write_block(block: Block, page: Page, pictures: bool) -> str:
    if block.latex is not None:
        return f"$$\n{block.latex}\n$$"
    if block.picture is not None and pictures:
        picture = f"![{block.kind}]({write_data_uri(block.picture)})"
        # What was read in a formula says less than it does; a figure may be a page that was taken for one.
        text = "" if block.kind == "formula" else _escape(block.text)
        return f"{picture}\n\n{text}" if text else picture
    match block.kind:
        case "header" | "footer":
            return ""
        case "title" | "heading":
            return f"{'#' * (block.level or 2)} {_escape_inside(block.text)}" if block.text else ""
        case "table" if block.table is not None:
            return _write_table(page.tables[block.table])
        case "list":
            return "\n".join(map(_write_item, read_items(block.text)))
        case "caption":
            return f"*{_escape(block.text)}*" if block.text else ""
        case _:
            return _escape(block.text)


def _escape(text: str) -> str:
    return _AT_START.sub(r"\\", _escape_inside(text))


def _escape_inside(text: str) -> str:
    """Text that does not stand at the start of a line."""
    return _ANYWHERE.sub(r"\\\1", text)


def _write_item(item: Item) -> str:
    indent, text, marker = _INDENT * item.depth, _escape(item.text), item.marker
    if marker is not None and marker.kind in _NUMBERED and marker.number:
        return f"{indent}{marker.number[0]}. {text}"
    if marker is None or marker.kind in UNCOUNTED:
        return f"{indent}- {text}"
    # Markdown has no letters and no sections for items.
    return f"{indent}- {_escape_inside(marker.text)} {text}"


def _write_table(table: Table) -> str:
    if not table.cells:
        return ""
    if any(cell.row_span > 1 or cell.column_span > 1 for cell in table.cells):
        return write_table(table)
    grid = [["" for _ in range(table.columns)] for _ in range(table.rows)]
    for cell in table.cells:
        grid[cell.row][cell.column] = _escape_inside(cell.text).replace("\n", "<br>").replace("|", "\\|")
    rows = [f"| {' | '.join(row)} |" for row in grid]
    # Markdown knows no table without a head: the first row is it.
    return "\n".join([rows[0], f"|{' --- |' * table.columns}", *rows[1:]])

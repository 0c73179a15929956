"""A document as HTML: an article a page, headings, paragraphs, lists and tables."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

from deployments.blocks import Block, Picture, Table, TableCell
from deployments.document import Document, Page
from deployments.structure.lists import UNCOUNTED, Item, read_items


def write_html(document: Document) -> str:
    """A whole HTML document in UTF-8, with no style and no script."""
    pages = "\n".join(_write_page(page) for page in document.pages)
    return (
        '<!DOCTYPE html>\n<html>\n<head><meta charset="utf-8"><title>'
        f"{escape(_find_title(document))}</title></head>\n<body>\n{pages}\n</body>\n</html>\n"
    )


def write_table(table: Table) -> str:
    """The table alone, on one line."""
    rows: list[list[TableCell]] = [[] for _ in range(table.rows)]
    for cell in table.cells:
        rows[cell.row].append(cell)
    heads = 0
    while heads < table.rows and rows[heads] and all(cell.is_header for cell in rows[heads]):
        heads += 1
    head = f"<thead>{_write_rows(rows[:heads])}</thead>" if heads else ""
    return f"<table>{head}<tbody>{_write_rows(rows[heads:])}</tbody></table>"


def write_data_uri(picture: Picture) -> str:
    """The picture itself as a link (RFC 2397)."""
    return f"data:{picture.media_type};base64,{b64encode(picture.data).decode()}"


def _write_rows(rows: Iterable[list[TableCell]]) -> str:
    return "".join("<tr>" + "".join(map(_write_cell, row)) + "</tr>" for row in rows)


def _write_cell(cell: TableCell) -> str:
    spans = "".join(
        f' {name}="{count}"'
        for name, count in (("rowspan", cell.row_span), ("colspan", cell.column_span))
        if count > 1
    )
    tag = "th" if cell.is_header else "td"
    return f"<{tag}{spans}>{escape(cell.text).replace(chr(10), '<br>')}</{tag}>"


def _write_page(page: Page) -> str:
    if page.error is not None:
        return f'<article data-page="{page.number}" data-error="{escape(page.error.code)}"></article>'
    blocks = "\n".join(filter(None, (_write_block(block, page) for block in page.blocks)))
    return f'<article data-page="{page.number}">\n{blocks}\n</article>'


def _write_block(block: Block, page: Page) -> str:
    text = escape(block.text)
    picture = (
        "" if block.picture is None else f'<img src="{write_data_uri(block.picture)}" alt="{block.kind}">'
    )
    match block.kind:
        case "title" | "heading":
            level = block.level or 2
            return f"<h{level}>{text}</h{level}>"
        case "table" if block.table is not None:
            return write_table(page.tables[block.table])
        case "list":
            return _write_items(read_items(block.text))
        case "header" | "footer":
            return f"<{block.kind}>{text}</{block.kind}>" if text else ""
        case "figure" | "seal":
            return f"<figure>{picture}{text.replace(chr(10), '<br>')}</figure>"
        case "formula" if block.latex is not None:
            # As MathJax and KaTeX want it; a reader without them still sees what it says.
            return f"<p>{picture}\\[{text}\\]</p>"
        case "formula" if picture:
            # What was read in a formula says less than the formula.
            return f"<p>{picture}</p>"
        case "caption":
            return f"<p><em>{text}</em></p>"
        case _:
            return f"<p>{text.replace(chr(10), '<br>')}</p>" if text else ""


def _write_items(items: Sequence[Item]) -> str:
    """Items of one depth, those that stand deeper as lists inside them."""
    depth, written = items[0].depth, ""
    for start, item in enumerate(items):
        if item.depth == depth or not written:
            end = start + 1
            while end < len(items) and items[end].depth > depth:
                end += 1
            inner = _write_items(items[start + 1 : end]) if end > start + 1 else ""
            written += f"<li>{_write_item(item)}{inner}</li>"
    return f"<ul>{written}</ul>"


def _write_item(item: Item) -> str:
    """An item with its number or letter, without a mark that only says that it is one."""
    text = escape(item.text)
    if item.marker is None or item.marker.kind in UNCOUNTED:
        return text
    return f"{escape(item.marker.text)} {text}"


def _find_title(document: Document) -> str:
    blocks = (block for page in document.pages for block in page.blocks)
    return next((block.text for block in blocks if block.kind == "title"), "Document")

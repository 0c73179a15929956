"""A document as PP-ChatOCRv4 is shown it: texts by the kind of their block, and tables as HTML."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from deployments.blocks import Table, TableCell
from deployments.document import Page

# PP-ChatOCRv4 leaves longer tables out; their lines are shown to it as text.
_MAX_TABLE_LETTERS = 3000
# Each is a request of its own.
_MAX_TABLES = 8


@dataclass
class PagesShown:
    """The visual information of each page, and whether something had to be left out at the end."""

    pages: list[Mapping[str, Any]] = field(default_factory=list)
    is_cut: bool = False


def show_pages(pages: Sequence[Page], left_bytes: float, bytes_a_table: int) -> PagesShown:
    """As much of the pages as fits; a table costs ``bytes_a_table`` more than its HTML has."""
    shown = PagesShown()
    tables_left = _MAX_TABLES
    for page in pages:
        tables: list[str] = []
        in_tables: set[int] = set()
        for table in page.tables[:tables_left]:
            html = _write_table(table)
            costs = len(html.encode()) + bytes_a_table
            if len(html) <= _MAX_TABLE_LETTERS and costs <= left_bytes:
                tables.append(html)
                left_bytes -= costs
                in_tables.update(line for cell in table.cells for line in cell.lines)
        tables_left -= len(tables)
        texts: dict[str, list[str]] = {}
        for kind, text in _list_texts(page, in_tables):
            left_bytes -= len(text.encode()) + 2
            if left_bytes < 0:
                shown.is_cut = True
                break
            texts.setdefault(f"words in {kind}", []).append(text)
        shown.pages.append(
            {
                "normal_text_dict": {kind: "\n ".join(lines) for kind, lines in texts.items()},
                "table_html_list": tables,
                "table_text_list": [""] * len(tables),
                "table_nei_text_list": [""] * len(tables),
            }
        )
        if shown.is_cut:
            break
    return shown


def _list_texts(page: Page, left_out: set[int]) -> Iterable[tuple[str, str]]:
    """Lines with the kind of their block, in reading order; those of no block come last."""
    seen = set(left_out)
    places = [(block.kind, place) for block in page.blocks for place in block.lines]
    for kind, place in (*places, *(("text", place) for place in range(len(page.lines)))):
        if place not in seen and place < len(page.lines):
            seen.add(place)
            yield kind, _mask(page.lines[place].text)


def _mask(text: str) -> str:
    """A text that cannot end the fence in which PP-ChatOCRv4 puts the document."""
    return " ".join(text.split()).replace("`", "'")


def _write_table(table: Table) -> str:
    rows: list[list[TableCell]] = [[] for _ in range(table.rows)]
    for cell in table.cells:
        rows[cell.row].append(cell)
    return "<table>" + "".join(f"<tr>{''.join(map(_write_cell, row))}</tr>" for row in rows) + "</table>"


def _write_cell(cell: TableCell) -> str:
    spans = (("rowspan", cell.row_span), ("colspan", cell.column_span))
    spanned = "".join(f' {name}="{count}"' for name, count in spans if count > 1)
    return f"<td{spanned}>{escape(_mask(cell.text), quote=False)}</td>"

"""The tables of a document as a spreadsheet (XLSX): one sheet a table."""

import io
import re

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from deployments.blocks import Table, TableCell
from deployments.document import Document
from serve_app.forms.markup import clean_text

# A spreadsheet's numbers have 15 digits, and forget zeros in front: all else stays the text that it is.
_NUMBER = re.compile(r"(?!-[0.]+$)-?(?:0|[1-9]\d*)(?:\.(\d+))?", re.ASCII)
_MAX_DIGITS = 15
# Of the program that opens the file.
_MAX_CELL_CHARACTERS = 32_767
_MAX_COLUMN_PX = 400


def write_xlsx(document: Document) -> bytes:
    """A workbook with the sheets ``p1 t1``, ``p1 t2`` ... by page and table; one that says so without tables.

    Spans are merged cells, header cells are bold. Nothing is ever a formula or a link. A text is a number
    only where that shows the same digits again.
    """
    output = io.BytesIO()
    with Workbook(output, {"in_memory": True}) as workbook:
        formats = _Formats(workbook)
        for page in document.pages:
            for number, table in enumerate(page.tables, 1):
                _write_table(workbook.add_worksheet(f"p{page.number} t{number}"), table, formats)
        if not workbook.worksheets():
            workbook.add_worksheet("no tables").write_string(0, 0, "No table was found in the document.")
    return output.getvalue()


class _Formats:
    """Formats of cells, each made once a workbook."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._made: dict[tuple[bool, str], Format] = {}

    def choose(self, is_header: bool, shown_as: str = "@") -> Format:
        """A header's or a plain cell's format, with the pattern by which its value is shown."""
        key = (is_header, shown_as)
        if key not in self._made:
            look = {"bold": is_header, "text_wrap": True, "valign": "top", "num_format": shown_as}
            self._made[key] = self._workbook.add_format(look)
        return self._made[key]


def _write_table(sheet: Worksheet, table: Table, formats: _Formats) -> None:
    taken: set[tuple[int, int]] = set()
    for cell in table.cells:
        area = [
            (row, column)
            for row in range(cell.row, min(cell.row + cell.row_span, table.rows))
            for column in range(cell.column, min(cell.column + cell.column_span, table.columns))
        ]
        # Merged cells that overlap make a file that does not open.
        if len(area) > 1 and taken.isdisjoint(area):
            sheet.merge_range(*area[0], *area[-1], "", formats.choose(cell.is_header))
        taken.update(area)
        _write_cell(sheet, cell, formats)
    sheet.autofit(_MAX_COLUMN_PX)


def _write_cell(sheet: Worksheet, cell: TableCell, formats: _Formats) -> None:
    text = clean_text(cell.text)[:_MAX_CELL_CHARACTERS]
    number = _NUMBER.fullmatch(text)
    if number is None or sum(map(str.isdigit, text)) > _MAX_DIGITS:
        sheet.write_string(cell.row, cell.column, text, formats.choose(cell.is_header))
        return
    shown_as = f"0.{'0' * len(number[1])}" if number[1] else "0"
    sheet.write_number(cell.row, cell.column, float(text), formats.choose(cell.is_header, shown_as))

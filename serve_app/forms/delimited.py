"""The tables of a document as CSV (RFC 4180)."""

import csv
import io

from deployments.blocks import Table
from deployments.document import Document

# A spreadsheet takes a cell that begins like this for a formula and computes it; East Asian ones also take
# the wide signs.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
# What a table's empty cells often hold, and what is no formula.
_LONE_SIGNS = ("+", "-", "－")


def write_csv(document: Document) -> str:
    """All tables in order, an empty line between two; a cell that spans others has its text in the first."""
    output = io.StringIO(newline="")
    writer = csv.writer(output)
    for number, table in enumerate(table for page in document.pages for table in page.tables):
        if number:
            output.write("\r\n")
        writer.writerows(spread_table(table))
    return output.getvalue()


def spread_table(table: Table) -> list[list[str]]:
    """The texts of a table as rows of equal length."""
    grid = [["" for _ in range(table.columns)] for _ in range(table.rows)]
    for cell in table.cells:
        grid[cell.row][cell.column] = _disarm(cell.text)
    return grid


def _disarm(text: str) -> str:
    """The text, kept from being a formula; numbers with a sign stay as they are."""
    if text.startswith(_FORMULA_STARTS) and text not in _LONE_SIGNS and not _is_number(text):
        return f"'{text}"
    return text


def _is_number(text: str) -> bool:
    return text[:1] in "+-" and text[1:].replace(",", "").replace(".", "", 1).rstrip("%").isdigit()

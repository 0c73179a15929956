"""The rows of goods in a table that the structure found."""

from collections.abc import Iterator, Mapping

from configs.rulebook import Column, FieldRule
from deployments.blocks import Table, TableCell
from deployments.document import Page
from deployments.extraction.candidates import Candidate
from deployments.extraction.item_rows import name_column
from deployments.extraction.labels import has_word
from deployments.extraction.numbers import Hit, find_money, find_numbers
from deployments.extraction.sheet import Sheet, Span

_TABLE_SCORE = 0.8
_ENDS = ("total", "subtotal", "sub total", "합계", "소계", "부가세", "공급가액", "총액")


def find_table_items(sheet: Sheet, rule: FieldRule) -> list[dict[str, Candidate]]:
    """Items of the tables that have heads of a description and an amount; rows of sums are left out."""
    items = []
    for place, page in enumerate(sheet.pages):
        for table in page.tables:
            columns = _find_columns(table, rule.columns)
            if columns is not None:
                items += list(_read_rows(sheet, place, page, table, *columns))
    return items


def _find_columns(
    table: Table, columns: Mapping[Column, tuple[str, ...]]
) -> tuple[int, dict[Column, int]] | None:
    for row in range(min(table.rows, 3)):
        found: dict[Column, int] = {}
        for cell in table.cells:
            name = name_column(cell.text.replace("\n", " "), columns) if cell.row == row else None
            if name is not None:
                found.setdefault(name, cell.column)
        if "description" in found and "amount" in found:
            return row, found
    return None


def _read_rows(
    sheet: Sheet, place: int, page: Page, table: Table, head: int, columns: Mapping[Column, int]
) -> Iterator[dict[str, Candidate]]:
    for row in range(head + 1, table.rows):
        cells = {cell.column: cell for cell in table.cells if cell.row == row}
        first = " ".join(cell.text for cell in cells.values() if not any(c.isdigit() for c in cell.text))
        if has_word(first, _ENDS):
            continue
        item = {}
        for name, column in columns.items():
            candidate = _read_cell(sheet, place, page, cells[column], name) if column in cells else None
            if candidate is not None:
                item[str(name)] = candidate
        if "amount" in item and "description" in item:
            yield item


def _read_cell(sheet: Sheet, place: int, page: Page, cell: TableCell, name: Column) -> Candidate | None:
    lines = [index for index in cell.lines if page.lines[index].text.strip()]
    if not lines:
        return None
    whole = tuple(Span(place, index, 0, len(page.lines[index].text)) for index in lines)
    sure = _TABLE_SCORE * (0.7 + 0.3 * sheet.confidence_of(whole))
    if name == "description":
        return Candidate(" ".join(page.lines[index].text for index in lines), whole, sure, "table")
    text = page.lines[lines[0]].text
    if len(lines) > 1 or text.strip() != cell.text.strip():
        # A line over two cells says nothing of one of them.
        start = text.find(cell.text.strip())
        if len(lines) > 1 or start < 0:
            return None
    else:
        start = 0
    decimals = sheet.country.decimals if sheet.country else 2
    signs = sheet.country.signs if sheet.country else ()
    part = text[start : start + len(cell.text.strip())] if start else text
    hits: list[Hit] = list(
        find_numbers(part) if name == "quantity" else find_money(part, signs, decimals, bare=True)
    )
    if not hits:
        return None
    span = Span(place, lines[0], start + hits[0].start, start + hits[0].end)
    return Candidate(hits[0].value, (span,), sure, "table")

"""Items of a table that the structure found."""

from collections.abc import Callable
from dataclasses import replace

from configs.rulebook import RuleBook
from deployments.blocks import Table, TableCell
from deployments.document import Page
from deployments.extraction.extractor import extract_fields


def test_cells_are_items(make_page: Callable[..., Page], rules: RuleBook) -> None:
    """Rows below the heads, each value with the line of its cell; the row of the sum is none."""
    rows = [
        ("Description", "Qty", "Unit price", "Amount"),
        ("Brass hinge", "4", "2.50", "10.00"),
        ("Paint, blue", "1", "7.25", "7.25"),
        ("Total", "", "", "17.25"),
    ]
    lefts = (50, 300, 400, 550)
    page = make_page("INVOICE", *(tuple(zip(lefts, row, strict=True)) for row in rows))
    texts = [line.text for line in page.lines]
    cells = tuple(
        TableCell(y, x, 1, 1, y == 0, text, (0, 0, 1, 1), (texts.index(text),) if text else ())
        for y, row in enumerate(rows)
        for x, text in enumerate(row)
    )
    found = extract_fields(
        [replace(page, tables=(Table(4, 4, cells, (0, 0, 700, 300), 0.9),))], "invoice", rules
    )
    items = found.fields["items"].items
    assert [{name: one.value for name, one in item.items()} for item in items] == [
        {"description": "Brass hinge", "quantity": 4, "unit_price": 2.5, "amount": 10.0},
        {"description": "Paint, blue", "quantity": 1, "unit_price": 7.25, "amount": 7.25},
    ]
    assert page.lines[items[0]["unit_price"].line_ids[0]].text == "2.50"
    assert found.fields["total"].value == 17.25

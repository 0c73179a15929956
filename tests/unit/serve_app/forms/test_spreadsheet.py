"""Tables as a spreadsheet, as another program opens it."""

import dataclasses
import io

import openpyxl
import pytest

from deployments.blocks import Table, TableCell
from deployments.document import Document, Page
from serve_app.forms.spreadsheet import write_xlsx

from .conftest import BOX, make_table


def open_tables(*tables: Table) -> openpyxl.Workbook:
    """The workbook of a page with these tables."""
    return open_document(Document((Page(1, 100, 100, tables=tables),), 1))


def open_document(document: Document) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(write_xlsx(document)))


def read_rows(sheet: openpyxl.worksheet.worksheet.Worksheet) -> list[list[object]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_a_table_is_a_sheet_named_by_its_page(document: Document) -> None:
    """In the order of the pages."""
    last = dataclasses.replace(document.pages[2], tables=(make_table("x"), make_table("y")))
    book = open_document(dataclasses.replace(document, pages=(*document.pages[:2], last)))
    assert book.sheetnames == ["p1 t1", "p3 t1", "p3 t2"]
    assert read_rows(book["p1 t1"]) == [["a", "b|c"], ["=1+1", -5]]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://example.com")',
        "+1",
        "@SUM(A1)",
        "-1+2",
        "{=1}",
        "http://example.com",
        "\t=1",
    ],
)
def test_nothing_is_ever_a_formula_or_a_link(text: str) -> None:
    """Merged or not, what was printed is text."""
    cell = TableCell(0, 0, 1, 2, False, text, BOX)
    for table in (make_table(text, columns=1), Table(1, 2, (cell,), BOX, 0.9)):
        read = open_tables(table).active["A1"]
        assert (read.data_type, read.value, read.hyperlink) == ("s", text, None)


@pytest.mark.parametrize(
    ("text", "value", "shown_as"),
    [
        ("42", 42, "0"),
        ("-7", -7, "0"),
        ("3.50", 3.5, "0.00"),
        ("0", 0, "0"),
        ("0.125", 0.125, "0.000"),
        ("123456789012345", 123456789012345, "0"),
    ],
)
def test_a_number_is_shown_with_the_digits_that_it_has(text: str, value: float, shown_as: str) -> None:
    """So that it can be added up."""
    cell = open_tables(make_table(text, columns=1)).active["A1"]
    assert (cell.data_type, cell.value, cell.number_format) == ("n", value, shown_as)


@pytest.mark.parametrize(
    "text",
    [
        "007",
        "1234567890123456",
        "0.1234567890123456",
        "1,5",
        "1,234",
        "5%",
        "1e5",
        "-0",
        "+3",
        ".5",
        "5.",
        "１２",
    ],
)
def test_what_would_lose_digits_stays_text(text: str) -> None:
    """Account numbers, and whatever depends on a language's customs."""
    cell = open_tables(make_table(text, columns=1)).active["A1"]
    assert (cell.data_type, cell.value) == ("s", text)


def test_spans_are_merged_and_heads_are_bold() -> None:
    """The text stands in the first cell."""
    cells = (
        TableCell(0, 0, 1, 2, True, "head", BOX),
        TableCell(1, 0, 2, 1, False, "7", BOX),
        TableCell(1, 1, 1, 1, False, "b", BOX),
        TableCell(2, 1, 1, 1, False, "c\nd", BOX),
    )
    sheet = open_tables(Table(3, 2, cells, BOX, 0.9)).active
    assert {str(area) for area in sheet.merged_cells.ranges} == {"A1:B1", "A2:A3"}
    assert read_rows(sheet) == [["head", None], [7, "b"], [None, "c\nd"]]
    assert sheet["A1"].font.bold
    assert not sheet["B2"].font.bold
    assert sheet["B3"].alignment.wrap_text


def test_spans_that_overlap_or_leave_the_table_do_no_harm() -> None:
    """A network may say anything; the file must open."""
    cells = (
        TableCell(0, 0, 2, 2, False, "a", BOX),
        TableCell(1, 1, 1, 9, False, "b", BOX),
    )
    sheet = open_tables(Table(2, 2, cells, BOX, 0.9)).active
    assert {str(area) for area in sheet.merged_cells.ranges} == {"A1:B2"}


@pytest.mark.parametrize("text", ["a\x00b", "\x1b", "\ufffe", "\ud800", "_x0041_", "x" * 40_000])
def test_any_text_makes_a_file_that_opens(text: str) -> None:
    """Characters that XML cannot hold, and more of them than a cell takes."""
    value = open_tables(make_table(text, columns=1)).active["A1"].value
    for character in ("\x00", "\x1b", "\ufffe", "\ud800"):
        text = text.replace(character, "\ufffd")
    assert value == text[:32_767]


def test_a_document_without_tables_says_so() -> None:
    """A workbook must have a sheet."""
    book = open_document(Document((), 0))
    assert book.sheetnames == ["no tables"]
    assert book.active["A1"].value == "No table was found in the document."

"""Tables as CSV."""

import csv
import dataclasses
import io

import pytest

from deployments.document import Document, Page
from serve_app.forms.delimited import write_csv

from .conftest import make_table


def test_tables_become_rows(document: Document) -> None:
    """Formulas are disarmed, signed numbers stay numbers."""
    rows = list(csv.reader(io.StringIO(write_csv(document), newline="")))
    assert rows == [["a", "b|c"], ["'=1+1", "-5"]]


def test_tables_are_divided_by_an_empty_line(document: Document) -> None:
    """In the order of the pages."""
    tables = (make_table('say "yes"', "two\nlines"), make_table("x", "y"))
    page = dataclasses.replace(document.pages[0], tables=tables)
    rows = list(csv.reader(io.StringIO(write_csv(Document((page,), 1)), newline="")))
    assert rows == [['say "yes"', "two\nlines"], [], ["x", "y"]]


def test_a_document_without_tables_is_empty() -> None:
    """No table is no error."""
    assert write_csv(Document((), 0)) == ""


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1+1", "'＝1+1"),
        ("-1+2", "'-1+2"),
        ("- see note", "'- see note"),
        ("\n=1", "'\n=1"),
        ("-", "-"),
        ("+", "+"),
        ("-1,234.50", "-1,234.50"),
        ("+3%", "+3%"),
        ("a=b", "a=b"),
    ],
)
def test_a_formula_is_disarmed_and_a_sign_is_not(text: str, written: str) -> None:
    """Wide signs count too; a lone dash stands for nothing in many tables."""
    page = Page(1, tables=(make_table(text, columns=1),))
    ((cell,),) = csv.reader(io.StringIO(write_csv(Document((page,), 1)), newline=""))
    assert cell == written

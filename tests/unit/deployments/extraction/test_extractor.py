"""Fields of receipts, invoices and forms, from lines alone."""

from collections.abc import Callable

import numpy as np
import pytest

from configs.rulebook import RuleBook
from deployments.document import Line, Page
from deployments.extraction.extractor import extract_fields
from deployments.input_errors import UnknownDocumentType

PageMaker = Callable[..., Page]

RECEIPT = (
    "harold finch",
    "GREEN LANE BOOKS SDN BHD",
    "(712345-K)",
    "NO 12 & 14, JALAN MAWAR 3,",
    "TAMAN ANGGERIK,",
    "81100 JOHOR BAHRU",
    "TEL:07-3512345 FAX:07-3512346",
    "GST ID: 000123456789",
    ((50, "Doc No. CS0012"), (400, "Date: 03/04/2018")),
    ((50, "Cashier: A"), (400, "Time: 10:05:33")),
    ((50, "Item"), (250, "Qty"), (350, "Price"), (480, "Amount")),
    ((50, "Ruler 30cm"), (260, "2"), (350, "1.50"), (490, "3.00")),
    ((50, "Glue stick"), (260, "1"), (350, "6.60"), (490, "6.60")),
    ((50, "Total Qty"), (260, "3"), (490, "9.60")),
    ((50, "Total Sales (Excluding GST)"), (490, "9.06")),
    ((50, "Total GST"), (490, "0.54")),
    ((50, "Total Sales (Inclusive of GST)"), (490, "9.60")),
    ((50, "CASH"), (480, "10.00")),
    ((50, "Change"), (490, "0.40")),
    "GST SUMMARY",
    ((50, "Total"), (300, "9.06"), (490, "0.54")),
    "13/04/2018",
)


def test_a_receipt_has_all_its_fields(make_page: PageMaker, rules: RuleBook) -> None:
    """The company stands below a note by hand; the summary of taxes is left out."""
    found = extract_fields([make_page(*RECEIPT)], "receipt", rules)
    values = {name: field.value for name, field in found.fields.items() if name != "items"}
    assert values == {
        "company": "GREEN LANE BOOKS SDN BHD",
        "date": "2018-04-03",
        "time": "10:05:33",
        "address": "NO 12 & 14, JALAN MAWAR 3, TAMAN ANGGERIK, 81100 JOHOR BAHRU",
        "phone": "+6073512345",
        "business_number": "000123456789",
        "subtotal": 9.06,
        "tax": 0.54,
        "total": 9.6,
        "currency": "MYR",
    }
    assert [{name: one.value for name, one in item.items()} for item in found.fields["items"].items] == [
        {"description": "Ruler 30cm", "quantity": 2, "unit_price": 1.5, "amount": 3.0},
        {"description": "Glue stick", "quantity": 1, "unit_price": 6.6, "amount": 6.6},
    ]


def test_a_value_says_where_it_was_read(make_page: PageMaker, rules: RuleBook) -> None:
    """Line, page, text and the part of the line's quad that it takes."""
    page = make_page(*RECEIPT)
    date = extract_fields([page], "receipt", rules).fields["date"]
    (line_id,) = date.line_ids
    assert page.lines[line_id].text == "Date: 03/04/2018"
    assert (date.text, date.page, date.source) == ("03/04/2018", 1, "label")
    left, right = date.quads[0][0, 0], date.quads[0][1, 0]
    assert left == pytest.approx(400 + 0.36 * 160, abs=12)
    assert right == pytest.approx(560, abs=3)


def test_words_give_the_place_exactly(rules: RuleBook) -> None:
    """Where the recogniser knew its words, their quads are taken."""
    from deployments.document import Word

    def quad(left: float, right: float) -> np.ndarray:
        return np.array([[left, 10], [right, 10], [right, 30], [left, 30]], np.float32)

    words = (Word("Total:", 0.9, quad(10, 40)), Word("9.50", 0.9, quad(45, 200)))
    page = Page(1, 300, 300, 0, (Line("Total: 9.50", 0.9, quad(10, 200), words, from_layer=True),))
    total = extract_fields([page], "receipt", rules).fields["total"]
    assert total.value == 9.5
    np.testing.assert_allclose(total.quads[0], quad(45, 200))


def test_what_is_not_there_stays_empty(make_page: PageMaker, rules: RuleBook) -> None:
    """Neither a value nor a place nor confidence."""
    found = extract_fields([make_page("Thank you")], "receipt", rules)
    for name in ("date", "time", "total", "tax", "phone", "business_number", "currency", "items"):
        field = found.fields[name]
        assert (field.value, field.source, field.confidence, field.quads) == (None, "none", 0.0, ())
    assert extract_fields([], "receipt", rules).fields["total"].value is None
    assert extract_fields([Page(1)], "auto", rules).document_type == "form"


def test_cash_less_change_tells_the_total(make_page: PageMaker, rules: RuleBook) -> None:
    """Of two totals the one that was paid."""
    rows = (((50, "Total"), (400, "12.40")), ((50, "Total"), (400, "12.35")))
    paid = (((50, "Cash"), (400, "20.00")), ((50, "Change"), (400, "7.60")))
    other = (((50, "Cash"), (400, "20.00")), ((50, "Change"), (400, "7.65")))
    for tail, expected in ((paid, 12.4), (other, 12.35)):
        total = extract_fields([make_page("shop", *rows, *tail)], "receipt", rules).fields["total"]
        assert total.value == expected


def test_sums_that_come_out_make_a_value_surer(make_page: PageMaker, rules: RuleBook) -> None:
    """And those that contradict make it less sure."""

    def confidence(tax: str) -> float:
        rows = (
            ((50, "Subtotal"), (400, "10.00")),
            ((50, "Tax"), (400, tax)),
            ((50, "Total"), (400, "11.00")),
        )
        plain = rules.model_copy(update={"common": rules.common.model_copy(update={"calibration": {}})})
        return extract_fields([make_page("shop", *rows)], "receipt", plain).fields["total"].confidence

    assert confidence("1.00") > confidence("3.00") + 0.05


@pytest.mark.parametrize(
    ("spread", "expected"),
    [
        ((("Total", "1O.5O"),), 10.5),
        ((("Total", "327 00"),), 327.0),
        ((("Total", "RM 1,007.5O"),), 1007.5),
        ((("Total Inel. GST@6%", "9.90"),), 9.9),
        ((("Total Item(s)", "7"), ("Nett Total", "9.90")), 9.9),
        ((("Total Saving", "3.10"), ("TOTAL (GST INCL)", "9.90")), 9.9),
        ((("TOTAL GST", "0.50"), ("Rounding Adj", "0.02"), ("Total Rounded", "9.90")), 9.9),
        ((("SUB-TOTAL", "9.00"), ("Balance Due", "9.90")), 9.9),
    ],
)
def test_totals_in_many_words(
    make_page: PageMaker, rules: RuleBook, spread: tuple[tuple[str, str], ...], expected: float
) -> None:
    """Misread digits and labels, and labels that only look like a total."""
    rows = [((50, label), (450, value)) for label, value in spread]
    found = extract_fields([make_page("ANY SHOP SDN BHD", "Jalan Besar", "no. 3", *rows)], "receipt", rules)
    assert found.fields["total"].value == expected


def test_a_tilted_page_has_rows_all_the_same(make_page: PageMaker, rules: RuleBook) -> None:
    """Amounts stand several lines lower than their labels on a page that is askew."""
    turn = np.array([[np.cos(0.08), -np.sin(0.08)], [np.sin(0.08), np.cos(0.08)]], np.float32)
    page = make_page(*RECEIPT)
    lines = tuple(Line(line.text, line.confidence, line.quad @ turn.T) for line in page.lines)
    found = extract_fields([Page(1, 700, 900, 0, lines)], "receipt", rules)
    assert found.fields["total"].value == 9.6
    assert found.fields["tax"].value == 0.54
    assert len(found.fields["items"].items) == 2


def test_auto_tells_the_type_by_its_words(make_page: PageMaker, rules: RuleBook) -> None:
    """Receipts, invoices, and forms for all else."""
    invoice = make_page("INVOICE", "Invoice number: A-1", "Bill to: X", "Due date: 2024-01-31", "Total 3.00")
    assert extract_fields([make_page(*RECEIPT)], "auto", rules).document_type == "receipt"
    assert extract_fields([invoice], "auto", rules).document_type == "invoice"
    assert extract_fields([make_page("Dear Sir", "the kiln is hot")], "auto", rules).document_type == "form"


def test_an_unknown_type_is_refused(rules: RuleBook) -> None:
    """With the names of those that there are."""
    with pytest.raises(UnknownDocumentType, match="auto, form, invoice, receipt"):
        extract_fields([], "ticket", rules)


def test_a_type_of_the_users_own(make_page: PageMaker, tmp_path, rules: RuleBook) -> None:
    """One file is all that it takes; sums of what is labelled more than once are computed."""
    (tmp_path / "parking.yaml").write_text(
        "fields:\n"
        "  plate: {kind: code, labels: [plate no, 차량번호]}\n"
        "  paid: {kind: money, labels: [fee], prefer: sum}\n"
        "  left: {kind: time, labels: [exit]}\n",
        encoding="utf-8",
    )
    page = make_page(
        "Plate No: AB-123", ((50, "Fee"), (300, "$2.50")), ((50, "Fee"), (300, "$1.25")), "Exit 5:40 PM"
    )
    found = extract_fields([page], "parking", RuleBook.load(tmp_path))
    assert {name: one.value for name, one in found.fields.items()} == {
        "plate": "AB-123",
        "paid": 3.75,
        "left": "17:40",
    }
    assert found.fields["paid"].source == "computed"
    assert "parking" not in rules.types

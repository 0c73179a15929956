"""Labels and values of forms."""

from collections.abc import Callable

from configs.rulebook import RuleBook
from deployments.document import Page
from deployments.extraction.extractor import extract_fields

PageMaker = Callable[..., Page]


def read(page: Page, rules: RuleBook) -> dict[str, object]:
    """The fields of a form by name."""
    return {name: field.value for name, field in extract_fields([page], "form", rules).fields.items()}


def test_a_label_ends_with_a_colon(make_page: PageMaker, rules: RuleBook) -> None:
    """Its value is in its line, right of it, or below it; a second label in the line has its own."""
    page = make_page(
        "Card type: Adult",
        ((50, "Family name:"), (300, "Okonkwo")),
        "Street:",
        "41 Old Walk",
        "",
        "Tel: 0555 017 Fax: 0555 018",
        "Opened at 10:30 by http://example.org",
    )
    assert read(page, rules) == {
        "Card type": "Adult",
        "Family name": "Okonkwo",
        "Street": "41 Old Walk",
        "Tel": "0555 017",
        "Fax": "0555 018",
    }


def test_values_go_on_below(make_page: PageMaker, rules: RuleBook) -> None:
    """Lines from the same edge belong to the value above them, until a row has a label again."""
    page = make_page(
        ((50, "Address:"), (300, "3 Mill Row")),
        ((300, "Larkminster"),),
        ((50, "Post code:"), (300, "LM1 4TB")),
    )
    assert read(page, rules) == {"Address": "3 Mill Row Larkminster", "Post code": "LM1 4TB"}


def test_known_labels_and_capitals_need_no_colon(make_page: PageMaker, rules: RuleBook) -> None:
    """Right of them, in the same line, or below them."""
    page = make_page(
        "SHIPPED VIA Direct Express",
        ((50, "Company"), (300, "Hob Hill Ltd")),
        ((50, "Fax number"),),
        ((50, "212-450-3785"),),
        "",
        ((50, "성명"), (300, "김하늘")),
    )
    assert read(page, rules) == {
        "SHIPPED VIA": "Direct Express",
        "Company": "Hob Hill Ltd",
        "Fax number": "212-450-3785",
        "성명": "김하늘",
    }


def test_a_label_that_comes_again_is_counted(make_page: PageMaker, rules: RuleBook) -> None:
    """No value is lost."""
    assert read(make_page("Date: 1 May", "Date: 2 May"), rules) == {"Date": "1 May", "Date (2)": "2 May"}

"""Tables that go on."""

import pytest

from deployments.blocks import Table
from deployments.document import Page
from deployments.structure.continuation import flag_continuing

from .conftest import make_page, make_table

FIRST = make_table(("Year", "Wheat"), ("1870", "100"), head=True)
REST = make_table(("1871", "137"), ("1872", "174"))
HEADED = make_table(("Year", "Wheat"), ("1871", "137"), head=True)
OTHER = make_table(("Name", "Street"), ("Ada", "Old Walk"), head=True)
WIDE = make_table(("1871", "137", "190"), ("1872", "174", "227"))
NARROW = make_table(("1871", "137"), box=(100, 100, 500, 300))


def page_with(number: int, table: Table, *, above: bool = False, below: bool = False, note: str = "") -> Page:
    """A page with running head and foot, and perhaps text above or below its table."""
    blocks = [("header", "A report", 20)]
    if above:
        blocks.append(("text", note or "Words before.", 60))
    blocks.append(("table", "", 200))
    if below:
        blocks.append(("text", "Words after.", 800))
    return make_page(number, *blocks, ("footer", "7", 950), tables=(table,))


def flags(pages: list[Page]) -> list[tuple[bool, bool]]:
    return [(t.continues_previous, t.continues_next) for page in flag_continuing(pages) for t in page.tables]


CONTINUED = [(False, True), (True, False)]
SEPARATE = [(False, False), (False, False)]


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        pytest.param([page_with(1, FIRST), page_with(2, REST)], CONTINUED, id="nothing between them"),
        pytest.param(
            [page_with(1, FIRST, below=True), page_with(2, REST)], SEPARATE, id="text after the first"
        ),
        pytest.param(
            [page_with(1, FIRST), page_with(2, REST, above=True)], SEPARATE, id="text before the second"
        ),
        pytest.param(
            [page_with(1, FIRST), page_with(2, REST, above=True, note="Table 1 (continued)")],
            CONTINUED,
            id="a note that it goes on",
        ),
        pytest.param(
            [page_with(1, FIRST, below=True), page_with(2, HEADED, above=True)],
            CONTINUED,
            id="the head repeated",
        ),
        pytest.param([page_with(1, FIRST), page_with(2, OTHER)], SEPARATE, id="another head"),
        pytest.param([page_with(1, FIRST), page_with(2, WIDE)], SEPARATE, id="other columns"),
        pytest.param([page_with(1, FIRST), page_with(2, NARROW)], SEPARATE, id="another width"),
        pytest.param([page_with(1, FIRST), page_with(3, REST)], SEPARATE, id="a page left out"),
    ],
)
def test_a_table_goes_on_where_people_see_it_go_on(
    pages: list[Page], expected: list[tuple[bool, bool]]
) -> None:
    """Flagged on both pages; the tables stay two."""
    assert flags(pages) == expected


def test_a_table_may_go_on_over_several_pages() -> None:
    """The one in the middle does both."""
    pages = [page_with(1, FIRST), page_with(2, REST), page_with(3, REST)]
    assert flags(pages) == [(False, True), (True, True), (True, False)]


def test_a_page_that_was_not_read_parts_them() -> None:
    """Nobody knows what it says."""
    assert flags([page_with(1, FIRST), Page(2), page_with(3, REST)]) == SEPARATE

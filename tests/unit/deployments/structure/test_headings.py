"""Levels of headings."""

from deployments.blocks import Block
from deployments.document import Line, Page
from deployments.structure.headings import level_document, level_headings

from .conftest import line


def make_headings(*headings: tuple[str, float, float]) -> tuple[list[Block], list[Line]]:
    """Headings with a text, a top and a height."""
    lines = [line(text, 50, top, 600, top + height) for text, top, height in headings]
    blocks = [
        Block("heading", (50, top, 600, top + height), text, (index,))
        for index, (text, top, height) in enumerate(headings)
    ]
    return blocks, lines


def levels(blocks: "list[Block] | tuple[Block, ...]") -> list[tuple[str, int | None]]:
    return [(block.kind, block.level) for block in blocks]


def test_larger_headings_stand_higher() -> None:
    """The largest at the top is the title."""
    made = make_headings(("Top g", 50, 50), ("One g", 300, 36), ("Two g", 500, 24), ("Three g", 700, 36))
    assert levels(level_headings(*made, 1000)) == [
        ("title", 1),
        ("heading", 2),
        ("heading", 3),
        ("heading", 2),
    ]


def test_letters_that_do_not_reach_down_make_no_heading_smaller() -> None:
    """The box of a line ends where its letters do."""
    made = make_headings(("A page of grain", 300, 30), ("Tools", 500, 24), ("Gulls", 700, 24))
    assert levels(level_headings(*made, 1000)) == [("heading", 2)] * 3


def test_levels_hold_for_all_pages() -> None:
    """A page that has small headings alone has no title; drawn at twice the size, they are no larger."""
    first = make_headings(("The title g", 50, 60), ("Part g", 500, 40))
    second = make_headings(("Detail g", 60, 30), ("Part g", 400, 40))
    third = make_headings(("Detail g", 120, 60))
    pages = [
        Page(1, 800, 1000, 0, tuple(first[1]), blocks=tuple(level_headings(*first, 1000))),
        Page(2, 800, 1000, 0, tuple(second[1]), blocks=tuple(level_headings(*second, 1000))),
        Page(3, 1600, 2000, 0, tuple(third[1]), blocks=tuple(level_headings(*third, 2000))),
    ]
    # A page alone has a title wherever a heading stands at its top.
    assert pages[2].blocks[0].kind == "title"
    assert [levels(page.blocks) for page in level_document(pages)] == [
        [("title", 1), ("heading", 2)],
        [("heading", 3), ("heading", 2)],
        [("heading", 3)],
    ]


def test_pages_without_headings_stay_as_they_are() -> None:
    """And those that could not be read."""
    pages = [Page(1), Page(2, 100, 100, blocks=(Block("text", (0, 0, 1, 1), "x"),))]
    assert level_document(pages) == pages

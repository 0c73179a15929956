"""Tables that go on on the next page: flagged on both pages, not joined."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from deployments.blocks import Block, Table
from deployments.document import Page

# Two parts of a table begin and end at the same places, to this share of the page's width.
_SAME_PLACE = 0.03
# What may stand between a table and the edge of its page.
_ASIDE = ("header", "footer")
_CONTINUED = ("continued", "cont.", "cont'd", "계속", "이어서", "续表", "續表", "つづき", "続き")


def flag_continuing(pages: Sequence[Page]) -> list[Page]:
    """The pages with the tables flagged that go on on the next page.

    They do when the last table of a page and the first of the next have equally many columns, and either
    nothing stands between them and they are equally wide, or the next one repeats the head of the first.
    """
    flagged = list(pages)
    for number, (page, following) in enumerate(pairwise(pages)):
        if following.number != page.number + 1:
            continue
        last, first = _find_last(page), _find_first(following)
        if last is not None and first is not None and _goes_on(page, last, following, first):
            table = replace(flagged[number].tables[last[0]], continues_next=True)
            flagged[number] = _put_table(flagged[number], last[0], table)
            table = replace(flagged[number + 1].tables[first[0]], continues_previous=True)
            flagged[number + 1] = _put_table(flagged[number + 1], first[0], table)
    return flagged


def _find_last(page: Page) -> tuple[int, bool] | None:
    """The last table of a page, and whether it is the last thing on it."""
    body = [block for block in page.blocks if block.kind not in _ASIDE]
    for place, block in enumerate(reversed(body)):
        if block.table is not None:
            return block.table, place == 0
    return None


def _find_first(page: Page) -> tuple[int, bool] | None:
    """The first table of a page, and whether it is the first thing on it, but for a note that it goes on."""
    body = [block for block in page.blocks if block.kind not in _ASIDE]
    for place, block in enumerate(body):
        if block.table is not None:
            return block.table, all(map(_says_continued, body[:place]))
    return None


def _says_continued(block: Block) -> bool:
    return any(word in block.text.casefold() for word in _CONTINUED)


def _goes_on(page: Page, last: tuple[int, bool], following: Page, first: tuple[int, bool]) -> bool:
    upper, lower = page.tables[last[0]], following.tables[first[0]]
    if upper.columns != lower.columns:
        return False
    upper_head, lower_head = _read_head(upper), _read_head(lower)
    if upper_head and upper_head == lower_head:
        return True
    # A head of its own makes it another table.
    has_own_head = any(cell.is_header for cell in lower.cells)
    return last[1] and first[1] and not has_own_head and _are_aligned(page, upper, following, lower)


def _read_head(table: Table) -> tuple[str, ...]:
    """The words of a table's first row, in their order."""
    texts = ("".join(cell.text.casefold().split()) for cell in table.cells if cell.row == 0)
    return tuple(filter(None, texts))


def _are_aligned(page: Page, upper: Table, following: Page, lower: Table) -> bool:
    if not page.width or not following.width:
        return False
    return all(
        abs(upper.box[side] / page.width - lower.box[side] / following.width) <= _SAME_PLACE
        for side in (0, 2)
    )


def _put_table(page: Page, number: int, table: Table) -> Page:
    return replace(page, tables=(*page.tables[:number], table, *page.tables[number + 1 :]))

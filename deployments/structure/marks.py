"""What only the whole document shows, marked on its pages once all of them are there."""

from collections.abc import Sequence

from deployments.document import Page
from deployments.structure.continuation import flag_continuing
from deployments.structure.headings import level_document
from deployments.structure.running import mark_running


def mark_document(pages: Sequence[Page]) -> tuple[Page, ...]:
    """The pages with running heads, continued tables and levels of headings that hold for all of them."""
    return tuple(level_document(flag_continuing(mark_running(pages))))

"""What only the whole document shows."""

from deployments.structure.marks import mark_document

from .conftest import make_page


def test_a_running_head_is_no_heading() -> None:
    """It is marked before levels are given."""
    pages = [
        make_page(
            n,
            ("heading", "The Journal", 40),
            ("heading", f"{'One' if n == 1 else 'Two'}", 300),
            ("text", "x", 500),
        )
        for n in (1, 2)
    ]
    marked = mark_document(pages)
    assert [[(b.kind, b.level) for b in page.blocks] for page in marked] == [
        [("header", None), ("heading", 2), ("text", None)],
        [("header", None), ("heading", 2), ("text", None)],
    ]


def test_nothing_is_lost() -> None:
    """Pages and blocks are as many as before."""
    pages = [make_page(n, ("text", str(n), 960), ("text", "a", 300), ("text", "b", 500)) for n in range(1, 5)]
    marked = mark_document(pages)
    assert [page.number for page in marked] == [1, 2, 3, 4]
    assert all(
        sorted(b.text for b in page.blocks) == sorted(b.text for b in was.blocks)
        for page, was in zip(marked, pages, strict=True)
    )

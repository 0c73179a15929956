"""From regions and lines to blocks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deployments.blocks import Block, Region
from deployments.document import Line
from deployments.structure.assembly import assemble_blocks, choose_regions, cut_tables


def line(text: str, left: float, top: float, right: float, bottom: float) -> Line:
    corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
    return Line(text, 0.9, np.array(corners, np.float32))


def assemble(regions: list[Region], lines: list[Line]) -> tuple[Block, ...]:
    return assemble_blocks(regions, lines, (), 1000)


def test_a_page_becomes_blocks_in_reading_order() -> None:
    """Header, title, two columns, footer: whatever the order in which they were found."""
    regions = [
        Region("footer", 0.9, (50, 950, 950, 980)),
        Region("text", 0.9, (520, 200, 950, 300)),
        Region("text", 0.9, (50, 200, 480, 300)),
        Region("heading", 0.9, (50, 80, 950, 140)),
        Region("header", 0.9, (50, 10, 950, 30)),
    ]
    lines = [
        line("right", 520, 210, 900, 240),
        line("left", 50, 210, 450, 240),
        line("7", 490, 955, 510, 975),
        line("A title", 50, 85, 700, 135),
        line("A journal", 50, 12, 300, 28),
    ]
    blocks = assemble(regions, lines)
    assert [block.text for block in blocks] == ["A journal", "A title", "left", "right", "7"]
    assert [block.kind for block in blocks] == ["header", "title", "text", "text", "footer"]


def test_lines_outside_every_region_are_blocks_too() -> None:
    """What the layout network overlooks is text all the same."""
    blocks = assemble(
        [], [line("one", 50, 100, 400, 130), line("two", 50, 135, 400, 165), line("far", 50, 600, 400, 630)]
    )
    assert [(block.kind, block.text, block.confidence) for block in blocks] == [
        ("text", "one two", None),
        ("text", "far", None),
    ]


def test_headings_have_levels_by_their_size() -> None:
    """The largest at the top is the title; of the others, larger ones stand higher."""
    regions = [Region("heading", 0.9, (50, top, 950, top + 60)) for top in (50, 300, 500, 700)]
    sizes = (50, 36, 24, 36)
    lines = [
        line(str(size), 50, region.box[1] + 2, 600, region.box[1] + 2 + size)
        for region, size in zip(regions, sizes, strict=True)
    ]
    blocks = assemble(regions, lines)
    assert [(block.kind, block.level) for block in blocks] == [
        ("title", 1),
        ("heading", 2),
        ("heading", 3),
        ("heading", 2),
    ]


def test_a_list_has_its_items_on_lines_of_their_own() -> None:
    """Lines that continue an item are joined to it."""
    region = Region("text", 0.9, (50, 100, 500, 300))
    lines = [
        line(text, 60, 110 + 40 * i, 480, 140 + 40 * i)
        for i, text in enumerate(["• one", "goes on", "• two"])
    ]
    (block,) = assemble([region], lines)
    assert (block.kind, block.text) == ("list", "• one goes on\n• two")


def test_a_region_inside_a_surer_one_is_left_out() -> None:
    """The network sees some things twice, as two kinds."""
    table = Region("table", 0.9, (100, 100, 500, 500))
    assert choose_regions([Region("figure", 0.5, (110, 110, 490, 490)), table]) == [table]


def test_a_surer_part_gives_way_to_the_whole() -> None:
    """A paragraph and its first half are one paragraph; a caption in a figure is none of its parts."""
    whole = Region("text", 0.6, (100, 100, 500, 500))
    assert choose_regions([Region("text", 0.8, (100, 100, 500, 250)), whole]) == [whole]
    caption, figure = (
        Region("caption", 0.8, (100, 400, 500, 450)),
        Region("figure", 0.6, (100, 100, 500, 500)),
    )
    assert set(choose_regions([caption, figure])) == {caption, figure}


def test_tables_are_cut_out_of_the_page() -> None:
    """At least one pixel of each, also at the edge."""
    pixels = np.zeros((100, 200, 3), np.uint8)
    regions = [Region("table", 0.9, (10.2, 20.7, 50.1, 60)), Region("table", 0.9, (200, 100, 200, 100))]
    assert [crop.shape for crop in cut_tables(regions, pixels)] == [(40, 41, 3), (1, 1, 3)]


boxes = st.tuples(st.integers(0, 900), st.integers(0, 900), st.integers(1, 300), st.integers(1, 300)).map(
    lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
)
kinds = st.sampled_from(["text", "heading", "figure", "caption", "header", "footer"])


@given(
    st.lists(st.builds(Region, kinds, st.floats(0.4, 1.0), boxes), max_size=8),
    st.lists(boxes.map(lambda box: line("x", *box)), max_size=12),
)
def test_every_line_is_in_exactly_one_block(regions: list[Region], lines: list[Line]) -> None:
    """Nothing that was read is lost, nothing comes twice."""
    blocks = assemble(choose_regions(regions), lines)
    assert sorted(index for block in blocks for index in block.lines) == list(range(len(lines)))

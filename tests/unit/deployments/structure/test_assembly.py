"""From regions and lines to blocks."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from deployments.blocks import Block, Region
from deployments.document import Line
from deployments.structure.assembly import assemble_blocks
from deployments.structure.regions import choose_regions

from .conftest import line, make_table


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


def test_the_networks_own_order_comes_before_that_of_the_boxes() -> None:
    """Some networks know it; headers stay first, and lines that they overlooked find their place."""
    regions = [
        Region("text", 0.9, (50, 200, 480, 300), order=2),
        Region("text", 0.9, (520, 200, 950, 300), order=1),
        Region("header", 0.9, (50, 10, 950, 30), order=3),
    ]
    lines = [
        line("left", 50, 210, 450, 240),
        line("right", 520, 210, 900, 240),
        line("A journal", 50, 12, 300, 28),
        line("below left", 50, 600, 450, 630),
    ]
    assert [block.text for block in assemble(regions, lines)] == ["A journal", "right", "left", "below left"]


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


def test_a_region_with_two_paragraphs_is_two_blocks() -> None:
    """Each with its own lines, and a box of its own."""
    region = Region("text", 0.8, (40, 90, 500, 320))
    tops = (100, 130, 160, 220, 250, 280)
    lines = [line(f"Line {top}.", 50, top, 480, top + 20) for top in tops]
    blocks = assemble([region], lines)
    assert [block.lines for block in blocks] == [(0, 1, 2), (3, 4, 5)]
    assert [block.box for block in blocks] == [(50, 100, 480, 180), (50, 220, 480, 300)]
    assert {block.confidence for block in blocks} == {0.8}


def test_a_paragraph_in_two_regions_is_one_block() -> None:
    """Where the sentence goes on."""
    regions = [Region("text", 0.8, (40, 90, 500, 155)), Region("text", 0.9, (40, 156, 500, 250))]
    texts = ("The mill was", "built by two", "brothers who", "came from far.")
    lines = [line(text, 50, 100 + 30 * n, 480, 120 + 30 * n) for n, text in enumerate(texts)]
    (block,) = assemble(regions, lines)
    assert block.text == "The mill was built by two brothers who came from far."
    assert (block.lines, block.confidence) == ((0, 1, 2, 3), 0.8)


def test_large_letters_are_no_running_head() -> None:
    """The layout network takes a title near the edge for one."""
    regions = [Region("header", 0.6, (50, 20, 950, 90)), Region("header", 0.9, (50, 2, 300, 18))]
    lines = [line("A Title", 60, 25, 600, 85), line("Journal", 60, 2, 200, 18)]
    lines += [line(f"words {n}", 60, 120 + 30 * n, 900, 140 + 30 * n) for n in range(5)]
    blocks = assemble(regions, lines)
    assert [(block.kind, block.text) for block in blocks[:2]] == [("header", "Journal"), ("title", "A Title")]


def test_a_table_without_cells_keeps_its_lines() -> None:
    """Below each other, in its place."""
    region = Region("table", 0.9, (40, 90, 500, 200))
    (block,) = assemble([region], [line("one", 50, 100, 200, 120), line("two", 50, 150, 200, 170)])
    assert (block.kind, block.table, block.text, block.lines) == ("table", None, "one\ntwo", (0, 1))


def test_lines_beside_the_cells_of_a_table_are_blocks_of_their_own() -> None:
    """What stands in its region and in none of its cells is not lost."""
    region = Region("table", 0.9, (40, 90, 500, 300))
    table = make_table(("cell",))
    table = replace(table, cells=(replace(table.cells[0], lines=(1,)),))
    lines = [line("A note.", 50, 100, 200, 120), line("cell", 50, 200, 200, 220)]
    blocks = assemble_blocks([region], lines, [(region, table)], 1000)
    assert sorted((block.kind, block.text) for block in blocks) == [("table", "cell"), ("text", "A note.")]


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

"""Which regions hold."""

import pytest

from deployments.blocks import Box, Region
from deployments.structure.regions import choose_regions, drop_grounds

from .conftest import line

PAGE_PX = 1000 * 1000


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


@pytest.mark.parametrize(
    ("box", "lines", "is_ground"),
    [
        pytest.param(
            (0, 0, 800, 800), [(20, 40 * n, 700, 40 * n + 25) for n in range(12)], True, id="a page"
        ),
        pytest.param(
            (0, 0, 300, 300), [(20, 40 * n, 280, 40 * n + 25) for n in range(6)], True, id="a box of text"
        ),
        pytest.param((0, 0, 800, 800), [(20, 90 * n, 80, 90 * n + 15) for n in range(8)], False, id="labels"),
        pytest.param((0, 0, 300, 100), [(10, 10, 290, 40), (10, 50, 290, 80)], False, id="a sign"),
        pytest.param((0, 0, 800, 800), [], False, id="a photograph"),
    ],
)
def test_a_figure_full_of_text_is_only_its_ground(box: Box, lines: list[Box], is_ground: bool) -> None:
    """A photographed page is a page; a chart with its labels is a figure."""
    figure, text = Region("figure", 0.9, box), Region("text", 0.5, (900, 0, 990, 50))
    kept = drop_grounds([figure, text], [line("x", *place) for place in lines], PAGE_PX)
    assert kept == ([text] if is_ground else [figure, text])

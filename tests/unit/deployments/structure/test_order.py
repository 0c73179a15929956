"""The order in which blocks are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.blocks import Box
from deployments.structure.order import follow_places, order_blocks

TITLE = (50, 20, 950, 80)


def column(left: float, right: float, tops: list[float], height: float) -> list[Box]:
    """Paragraphs below each other."""
    return [(left, top, right, top + height) for top in tops]


@pytest.mark.parametrize(
    "boxes",
    [
        pytest.param([TITLE, *column(50, 950, [100, 300, 500], 150)], id="one column"),
        pytest.param(
            [TITLE, *column(50, 480, [100, 300, 500], 150), *column(520, 950, [100, 300, 500], 150)],
            id="two columns whose paragraphs end at the same heights",
        ),
        pytest.param(
            [TITLE, *column(50, 480, [100, 420], 250), *column(520, 950, [100, 250, 520], 120)],
            id="two columns whose paragraphs end at different heights",
        ),
        pytest.param(
            [
                TITLE,
                *column(50, 330, [100, 400], 250),
                *column(360, 640, [100, 400], 250),
                *column(670, 950, [100, 400], 250),
            ],
            id="three columns",
        ),
        pytest.param(
            [
                *column(50, 480, [100, 220], 100),
                *column(520, 950, [100, 220], 100),
                (50, 400, 950, 500),
                *column(50, 480, [520, 640], 100),
                *column(520, 950, [520, 640], 100),
            ],
            id="two columns above and below a table that is as wide as the page",
        ),
        pytest.param(
            [TITLE, *column(50, 250, [100, 350], 200), *column(300, 950, [100, 300, 500, 700], 150)],
            id="a sidebar on the left",
        ),
        pytest.param(
            [TITLE, *column(50, 480, [100, 300, 500], 150), *column(520, 950, [100, 300], 150)],
            id="a first column that is longer",
        ),
        pytest.param(
            [
                TITLE,
                *column(50, 330, [100, 300, 500, 700], 150),
                *column(360, 640, [100, 300], 150),
                *column(670, 950, [100, 300], 150),
            ],
            id="three columns, the first twice as long",
        ),
        pytest.param(
            [
                *column(50, 480, [100, 300], 150),
                *column(520, 950, [100, 300], 150),
                (50, 500, 400, 530),
                (50, 560, 950, 700),
            ],
            id="a heading and a wide paragraph below columns",
        ),
        pytest.param(
            [
                *column(50, 330, [100], 200),
                *column(360, 640, [100], 200),
                (50, 330, 640, 380),
                *column(50, 330, [400], 200),
                *column(360, 640, [400], 200),
                *column(670, 950, [100, 350], 200),
            ],
            id="a heading over two columns of three",
        ),
        pytest.param(
            [(50, 100, 900, 200), (100, 220, 500, 260), (900, 222, 950, 258), (50, 280, 900, 400)],
            id="a formula with its number",
        ),
        pytest.param(
            [(50, 100, 620, 300), *column(50, 480, [320, 500], 150), *column(520, 950, [310, 480], 150)],
            id="a picture that reaches over the gutter",
        ),
        pytest.param(
            [(600, 50, 800, 80), *column(520, 950, [100, 400], 280), *column(100, 450, [550], 60)],
            id="a text on the right beside a picture whose caption stands below it on the left",
        ),
        pytest.param([(700, 10, 900, 30), (50, 60, 300, 90), (50, 120, 950, 300)], id="a date on the right"),
    ],
)
def test_pages_are_read_as_people_read_them(boxes: list[Box]) -> None:
    """However the boxes are shuffled, they come back in the order in which they are written here."""
    for shift in range(len(boxes)):
        shuffled = [boxes[(7 * index + shift) % len(boxes)] for index in range(len(boxes))]
        if len(set(shuffled)) == len(boxes):
            assert [shuffled[index] for index in order_blocks(shuffled)] == boxes


def test_neighbours_may_overlap_a_little() -> None:
    """Boxes of a network are never exact."""
    boxes = [(50, 100, 482, 303), (50, 300, 481, 500), (478, 100, 950, 302), (479, 299, 950, 500)]
    assert order_blocks(boxes) == [0, 1, 2, 3]


numbers = st.integers(0, 1000)


@given(st.lists(st.tuples(numbers, numbers, st.integers(0, 500), st.integers(0, 500)), max_size=30))
def test_every_block_is_read_once(corners: list[tuple[int, int, int, int]]) -> None:
    """Whatever the boxes, even empty and nested ones."""
    boxes: list[Box] = [(x, y, x + width, y + height) for x, y, width, height in corners]
    assert sorted(order_blocks(boxes)) == list(range(len(boxes)))


def test_a_network_that_knows_the_order_is_followed() -> None:
    """Blocks of one region stay together; those that it overlooked stay behind the ones that they follow."""
    assert follow_places([0, 1, 2, 3], [None, None, None, None]) == [0, 1, 2, 3]
    assert follow_places([0, 1, 2, 3], [2, None, 1, 1]) == [2, 3, 0, 1]
    assert follow_places([3, 0, 1, 2], [5, 4, None, None]) == [3, 1, 2, 0]

"""Lists and their items."""

import pytest

from deployments.blocks import Box
from deployments.structure.lists import is_list, read_items, read_marker, split_items, write_list


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["• one", "• two"], True),
        (["1. one", "2. two"], True),
        (["(a) one", "(b) two"], True),
        (["가. 하나", "나. 둘"], True),
        (["① 하나", "② 둘"], True),
        (["ㅇ 하나", "ㅇ 둘"], True),
        (["o 하나", "o 둘"], True),
        (["▶ 하나", "▶ 둘"], True),
        (["※ 주의", "※ 참고"], True),
        (["ii) two", "iii) three"], True),
        (["1.1 Scope", "1.2 Terms"], True),
        (["- one", "goes on", "- two"], True),
        (["-one", "-two"], True),
        (["Name: Miriam", "Street: Old Walk", "Town: Larkminster"], True),
        (["One sentence.", "Another one."], False),
        (["1. A numbered heading"], False),
        (["3.5 percent of", "2.1 million"], False),
        (["A. Smith wrote", "this paper."], False),
        (["-5 degrees", "-7 degrees"], False),
        (["(13)", "(14)"], False),
        (["1. one", "7. seven"], False),
        (["He said: no", "and went away", "at once"], False),
        (["10:30 train", "11:30 train", "12:30 train"], False),
    ],
)
def test_lists_are_told_from_paragraphs(lines: list[str], expected: bool) -> None:
    """A list has at least two items that count on, and begins with one; or it names things before colons."""
    assert is_list(lines) is expected


def test_a_line_without_a_mark_belongs_to_the_item_before() -> None:
    """Items may have several lines."""
    assert split_items(["- one", "goes on", "- two"]) == [[0, 1], [2]]


def test_a_number_in_the_middle_of_a_sentence_is_no_item() -> None:
    """A reference may stand where a line begins; a bullet is one wherever it stands."""
    assert split_items(["[1] one, see", "[2] and others", "[3] two"], goes_on=(1,)) == [[0, 1], [2]]
    assert split_items(["• one", "• two"], goes_on=(1,)) == [[0], [1]]


@pytest.mark.parametrize(
    ("line", "kind", "number"),
    [
        ("12) twelve", "number)", (12,)),
        ("(3) three", "(number)", (3,)),
        ("2.3.1 Deep", "section", (2, 3, 1)),
        ("다. 셋", "hangul.", (3,)),
        ("c) three", "letter", (3,)),
        ("iv) four", "roman", (4,)),
        ("• any", "bullet", None),
    ],
)
def test_markers_say_what_they_are(line: str, kind: str, number: tuple[int, ...] | None) -> None:
    """Their kind, and the number where they count."""
    marker = read_marker(line)
    assert marker is not None
    assert (marker.kind, marker.number) == (kind, number)


def boxes(*lefts: float) -> list[Box]:
    return [(left, 30.0 * row, 400, 30.0 * row + 20) for row, left in enumerate(lefts)]


@pytest.mark.parametrize(
    ("lines", "lefts", "text"),
    [
        (["1. one", "goes on", "2. two"], (10, 30, 10), "1. one goes on\n2. two"),
        (
            ["• one", "- deep", "- deep too", "• two"],
            (10, 40, 40, 10),
            "• one\n  - deep\n  - deep too\n• two",
        ),
        (
            ["1. 하나", "가. 둘", "1) 셋", "나. 넷", "2. 다섯"],
            (10, 10, 10, 10, 10),
            "1. 하나\n  가. 둘\n    1) 셋\n  나. 넷\n2. 다섯",
        ),
    ],
)
def test_items_stand_as_deep_as_on_paper(lines: list[str], lefts: tuple[float, ...], text: str) -> None:
    """By where they begin; at one edge, by what they begin with."""
    assert write_list(lines, boxes(*lefts)) == text


def test_a_written_list_is_read_back() -> None:
    """Depth, marker and text."""
    items = read_items("1. one\n  - two\nplain")
    assert [(item.depth, item.marker and item.marker.text, item.text) for item in items] == [
        (0, "1.", "one"),
        (1, "-", "two"),
        (0, None, "plain"),
    ]

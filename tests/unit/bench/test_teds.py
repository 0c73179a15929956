"""TEDS beside what comes out by hand."""

import sys

import pytest

from paths import ROOT

sys.path.insert(0, str(ROOT / "tests" / "bench"))

from teds import measure_teds, parse_table


def table(*rows: str) -> str:
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


TWO_BY_TWO = table("<td>a</td><td>b</td>", "<td>c</td><td>d</td>")


@pytest.mark.parametrize(
    ("ours", "truth", "teds", "structure"),
    [
        pytest.param(TWO_BY_TWO, TWO_BY_TWO, 1, 1, id="equal"),
        pytest.param(
            # Seven nodes; one text is another one.
            table("<td>a</td><td>b</td>", "<td>c</td><td>x</td>"),
            TWO_BY_TWO,
            6 / 7,
            1,
            id="one text",
        ),
        pytest.param(
            # A quarter of one text differs.
            table("<td>abcd</td>"),
            table("<td>abcx</td>"),
            1 - 0.25 / 3,
            1,
            id="a letter of four",
        ),
        pytest.param(
            # A cell more, of seven nodes at most.
            table("<td>a</td><td>b</td>", "<td>c</td>"),
            TWO_BY_TWO,
            6 / 7,
            6 / 7,
            id="a cell less",
        ),
        pytest.param(
            # A row with two cells is three nodes.
            table("<td>a</td><td>b</td>"),
            TWO_BY_TWO,
            4 / 7,
            4 / 7,
            id="a row less",
        ),
        pytest.param(
            # Another span makes another cell, whatever its text.
            table('<td colspan="2">a</td>'),
            table("<td>a</td>"),
            2 / 3,
            2 / 3,
            id="another span",
        ),
        pytest.param("", TWO_BY_TWO, 0, 0, id="no table"),
        pytest.param("<p>text</p>", TWO_BY_TWO, 0, 0, id="something else"),
    ],
)
def test_tables_are_as_alike_as_counted_by_hand(ours: str, truth: str, teds: float, structure: float) -> None:
    """One less the changes that make one tree from the other, in parts of the larger one; both ways."""
    for one, other in ((ours, truth), (truth, ours)):
        assert measure_teds(one, other) == pytest.approx(teds)
        assert measure_teds(one, other, texts=False) == pytest.approx(structure)


def test_how_a_head_is_marked_changes_nothing() -> None:
    """Sets differ on heads; the grid is the same."""
    head, body = "<tr><th>a</th><th>b</th></tr>", "<tr><td>c</td><td>d</td></tr>"
    headed = f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"
    assert measure_teds(headed, TWO_BY_TWO) == 1


def test_white_space_is_one_blank_or_none() -> None:
    """A line's end in a cell is white space, however it is written."""
    assert measure_teds(table("<td>a<br>b</td>"), table("<td>a\nb</td>")) == 1
    assert measure_teds(table("<td>a b</td>"), table("<td>ab</td>")) == pytest.approx(1 - (1 / 3) / 3)
    assert measure_teds(table("<td>a b</td>"), table("<td>ab</td>"), spaces=False) == 1


def test_a_tree_has_the_tables_nodes() -> None:
    """The table, its rows, and their cells."""
    tree = parse_table(TWO_BY_TWO)
    assert tree is not None
    assert tree.count() == 7
    assert [child.tag for child in tree.children] == ["tr", "tr"]

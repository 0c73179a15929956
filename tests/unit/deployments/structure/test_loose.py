"""Lines in no region."""

import pytest

from deployments.document import Line
from deployments.structure.loose import group_loose

from .conftest import line


def texts(lines: list[Line]) -> list[list[str]]:
    return [[lines[index].text for index in group] for group in group_loose(range(len(lines)), lines)]


@pytest.mark.parametrize("pitch", [26, 80])
def test_labels_stand_beside_their_values(pitch: int) -> None:
    """Rows of a form, near to each other or far apart, in whatever order they were found."""
    lines = [line(text, 400, pitch * n, 520, pitch * n + 20) for n, text in enumerate(("Ada", "3 Mill Row"))]
    lines += [line(text, 10, pitch * n, 120, pitch * n + 20) for n, text in enumerate(("Name:", "Street:"))]
    rows = [["Name:", "Ada"], ["Street:", "3 Mill Row"]]
    assert texts(lines) == ([rows[0] + rows[1]] if pitch < 40 else rows)


def test_names_stand_beside_their_amounts() -> None:
    """A receipt; the last line has no amount."""
    lines = [
        line(text, 10, 26 * n, 200, 26 * n + 20) for n, text in enumerate(("Milk", "Rye bread", "Thank you"))
    ]
    lines += [line(text, 400, 26 * n, 460, 26 * n + 20) for n, text in enumerate(("1.29", "3.40"))]
    assert texts(lines) == [["Milk", "1.29", "Rye bread", "3.40", "Thank you"]]


def test_columns_of_words_stay_columns() -> None:
    """Two addresses beside each other are no rows."""
    left = [line(text, 10, 26 * n, 200, 26 * n + 20) for n, text in enumerate(("Ms Aldous", "Fennel House"))]
    right = [line(text, 400, 26 * n, 600, 26 * n + 20) for n, text in enumerate(("Mr Penhallow", "Mill Row"))]
    assert texts([*left, *right]) == [["Ms Aldous", "Fennel House"], ["Mr Penhallow", "Mill Row"]]


def test_what_is_far_or_of_another_size_is_another_block() -> None:
    """A headline and the words below it."""
    lines = [
        line("Large", 10, 0, 300, 60),
        line("small", 10, 66, 200, 86),
        line("near", 10, 92, 200, 112),
        line("far", 10, 300, 200, 320),
    ]
    assert texts(lines) == [["Large"], ["small", "near"], ["far"]]
    assert texts([]) == []

"""Formulas and the words between them."""

from deployments.blocks import Box
from deployments.structure.formulas import divide_formulas


def test_prose_between_formulas_is_text() -> None:
    """The layout network takes them for one."""
    boxes: list[Box] = [(10, 40 * row, 400, 40 * row + 20) for row in range(4)]
    texts = ["x = y + 2", "where the letters stand for numbers", "y = 3 z", "z = 1"]
    assert divide_formulas(boxes, texts) == [(False, [0]), (True, [1]), (False, [2]), (False, [3])]


def test_the_rows_of_one_formula_stay_together() -> None:
    """A fraction has its rows close to each other."""
    boxes: list[Box] = [(10, 0, 100, 20), (10, 22, 100, 42), (10, 80, 100, 100)]
    assert divide_formulas(boxes, ["a + b", "c", "x = 1"]) == [(False, [0, 1]), (False, [2])]

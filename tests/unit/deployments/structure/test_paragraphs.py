"""Paragraphs from where lines begin and end."""

import pytest

from deployments.blocks import Box
from deployments.structure.paragraphs import divide_paragraphs, write_paragraph


def rows(*extents: tuple[float, float], pitch: float = 30, gaps: dict[int, float] | None = None) -> list[Box]:
    """Lines of 20 pixels; ``gaps`` is what a line stands lower than the pitch would put it."""
    top, boxes = 0.0, []
    for number, (left, right) in enumerate(extents):
        top += (gaps or {}).get(number, 0.0)
        boxes.append((left, top, right, top + 20))
        top += pitch
    return boxes


FULL, SHORT, INDENTED = (10.0, 400.0), (10.0, 150.0), (40.0, 400.0)


@pytest.mark.parametrize(
    ("boxes", "texts", "groups"),
    [
        pytest.param(rows(FULL, FULL, FULL), ["a", "b", "c."], [[0, 1, 2]], id="one paragraph"),
        pytest.param(
            rows(FULL, FULL, FULL, FULL, gaps={2: 18}), ["A", "b.", "C", "d."], [[0, 1], [2, 3]], id="a gap"
        ),
        pytest.param(
            rows(INDENTED, FULL, SHORT, INDENTED, FULL),
            ["A", "b", "c.", "D", "e."],
            [[0, 1, 2], [3, 4]],
            id="indented first lines",
        ),
        pytest.param(
            rows(FULL, FULL, SHORT, FULL, FULL),
            ["A", "b", "c.", "D", "e."],
            [[0, 1, 2], [3, 4]],
            id="a short end",
        ),
        pytest.param(
            rows((10, 390), (10, 340), (10, 280), (10, 400), (10, 350)),
            ["A", "b", "c", "d", "e."],
            [[0, 1, 2, 3, 4]],
            id="ragged lines",
        ),
        pytest.param(
            rows(FULL, FULL, INDENTED, FULL, FULL),
            ["A", "b", "c", "d", "e."],
            [[0, 1, 2, 3, 4]],
            id="an inset",
        ),
        pytest.param(
            rows(FULL, FULL, FULL, gaps={1: 30}),
            ["A line", "goes on", "here."],
            [[0, 1, 2]],
            id="a line overlooked",
        ),
        pytest.param(
            rows((10, 400), (40, 400), (40, 200), (10, 400), (40, 400), (40, 380)),
            ["Smith, A", "Mills", "2001.", "Tailor, B", "Wheels", "2002."],
            [[0, 1, 2], [3, 4, 5]],
            id="hanging lines",
        ),
        pytest.param(
            rows(FULL, SHORT, (10, 120), (10, 200)),
            ["Bring these", "things:", "1. a coat", "2. a hat"],
            [[0, 1], [2, 3]],
            id="a list after a sentence",
        ),
        pytest.param(
            rows(FULL, FULL, FULL),
            ["제1조(목적) 이 규칙은", "정한다.", "제2조(정의) 다음과"],
            [[0, 1], [2]],
            id="articles",
        ),
        pytest.param(rows(FULL, FULL, gaps={1: 60}), ["(13)", "(14)"], [[0], [1]], id="two far apart"),
    ],
)
def test_paragraphs_begin_where_people_see_them_begin(
    boxes: list[Box], texts: list[str], groups: list[list[int]]
) -> None:
    """Gaps, indents and short ends; never in doubt."""
    assert divide_paragraphs(boxes, texts) == groups


def test_lines_beside_each_other_are_one_row() -> None:
    """A wide gap between words divides a line in two."""
    boxes: list[Box] = [(10, 0, 150, 20), (250, 1, 400, 21), (10, 30, 400, 50), (10, 60, 400, 80)]
    assert divide_paragraphs(boxes, ["a", "b", "c", "d"]) == [[0, 1, 2, 3]]


def test_full_korean_lines_may_divide_words() -> None:
    """Ragged ones end at a word's end."""
    texts = ["우리 마을", "은 작은 광장의", "옆에 있다."]
    assert write_paragraph(texts, rows(FULL, FULL, SHORT)) == "우리 마을은 작은 광장의 옆에 있다."
    assert write_paragraph(texts, rows(FULL, (10, 330), SHORT)) == "우리 마을 은 작은 광장의 옆에 있다."

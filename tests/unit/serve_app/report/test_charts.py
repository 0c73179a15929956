"""Charts are well-formed SVG whose marks stand where the values say."""

from xml.etree import ElementTree

import pytest

from serve_app.report.charts import Unit, choose_ticks, draw_bars, draw_lines, show_number


def marks(chart: str, tag: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(f"<div>{chart}</div>")
    return [element for element in root.iter() if element.tag == tag]


def test_a_line_rises_where_values_rise() -> None:
    chart = draw_lines({"rate": [(0.0, 1.0), (10.0, 2.0), (20.0, 4.0)]}, Unit("/s"), "Rate")
    places = [(float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in marks(chart, "circle")]
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)
    assert marks(chart, "title")[2].text == "rate: 4 /s after 20 s"


def test_the_parts_of_a_bar_are_as_long_as_their_values() -> None:
    chart = draw_bars({"page": {"queue": 1.0, "network": 3.0}}, Unit("s"), "Stages")
    first, second = (float(bar.get("width", "")) for bar in marks(chart, "rect"))
    assert second == pytest.approx(3 * first, rel=0.01)
    assert [item.text or item[0].tail for item in marks(chart, "li")] == ["queue", "network"]


def test_names_from_outside_cannot_break_the_page() -> None:
    name = '<script>alert("x")</script>&'
    for chart in (
        draw_lines({name: [(0, 1), (1, 1)]}, Unit(), name),
        draw_bars({name: {name: 1}}, Unit(), name),
    ):
        assert not marks(chart, "script")


def test_nothing_is_said_to_be_nothing() -> None:
    assert "nothing was measured" in draw_lines({"a": []}, Unit(), "A")
    assert "nothing was measured" in draw_bars({"a": {"": 0.0}}, Unit(), "A")


@pytest.mark.parametrize("top", [0, 0.003, 1, 7, 59, 120, 4711, 1e6])
def test_ticks_are_few_and_reach_the_top(top: float) -> None:
    ticks = choose_ticks(top)
    assert ticks[0] == 0
    assert ticks[-1] >= top * 0.999
    assert 2 <= len(ticks) <= 7


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.0123, "0.0123"), (1.5, "1.5"), (99.94, "99.9"), (12345.6, "12,346")]
)
def test_numbers_have_three_digits_that_count(value: float, text: str) -> None:
    assert show_number(value) == text

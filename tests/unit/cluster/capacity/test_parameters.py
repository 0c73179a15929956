from pathlib import Path

import pytest
from pydantic import ValidationError

from capacity.parameters import Curve, load_node, load_plan
from capacity.report import fill, make_assumptions
from paths import ROOT


def curve(points: dict[int, float]) -> Curve:
    return Curve(ms_by_items=points, source="a test's figure")


def test_a_run_between_two_points_takes_what_lies_between() -> None:
    assert curve({1: 10, 3: 20}).seconds(2) == pytest.approx(0.015)


def test_a_run_beyond_the_last_point_takes_as_much_an_item_as_there() -> None:
    assert curve({1: 10, 4: 20}).seconds(8) == pytest.approx(0.040)


def test_half_an_item_takes_a_run() -> None:
    assert curve({1: 10}).seconds(0.5) == pytest.approx(0.010)


@pytest.mark.parametrize("points", [{}, {0: 1}, {1: 0}, {1: 10, 2: 5}])
def test_impossible_times_are_refused(points: dict[int, float]) -> None:
    with pytest.raises(ValidationError):
        curve(points)


def test_every_figure_has_a_source_and_assumptions_are_known_by_name() -> None:
    node = load_node("g4dn-xlarge")
    names = [name for name, _ in node.list_assumptions()]
    assert "detection.gpu" in names
    assert "request.cpu_ms" not in names
    for name in names:
        assert name in make_assumptions(node, load_plan())


def test_an_unknown_name_is_a_mistake(tmp_path: Path) -> None:
    text = (ROOT / "cluster/capacity/plan.yaml").read_text().replace("night_share", "nightshare")
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises(ValidationError):
        load_plan(path)


def test_the_page_has_a_place_for_every_table(tmp_path: Path) -> None:
    page = tmp_path / "capacity.md"
    page.write_text((ROOT / "docs/capacity.md").read_text())
    fill(page, {name: "| new |\n" for name in ("results", "validation", "assumptions")})
    assert page.read_text().count("| new |") == 3
    with pytest.raises(ValueError, match="no place"):
        fill(page, {"other": ""})


def test_the_pages_assumptions_are_those_of_the_files() -> None:
    plan = load_plan()
    page = (ROOT / "docs/capacity.md").read_text()
    assert make_assumptions(load_node(plan.node), plan) in page, "run make capacity"

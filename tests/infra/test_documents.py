from pathlib import Path

import pytest

from infra.variable_table import PAGES, fill, read_variables
from paths import ROOT


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_table_of_variables_is_that_of_the_code(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "<!-- variables -->" in text
    assert fill(text) == text, "run python tests/infra/variable_table.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_table_of_ports_is_that_of_the_file(page: Path) -> None:
    lines = (ROOT / "cluster" / "ports.env").read_text().splitlines()
    numbers = {line.partition("=")[2] for line in lines if line.startswith("PORT_")}
    # What stays inside a node is in no table.
    text = page.read_text(encoding="utf-8")
    assert {number for number in numbers if number not in text} == {"6382"}


def test_both_environments_have_the_same_variables() -> None:
    dev, prod = read_variables("dev"), read_variables("prod")
    assert list(dev) == list(prod)
    for name in prod:
        assert dev[name]["description"] == prod[name]["description"]
        assert dev[name]["type"] == prod[name]["type"]

"""Pages of the documentation: links lead somewhere, and shown code is code of the examples."""

import re
from pathlib import Path

import pytest

from paths import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
EXAMPLES = "\n".join(
    path.read_text(encoding="utf-8")
    for path in sorted((DOCS / "examples").rglob("*.ts*"))
    if "node_modules" not in str(path)
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_index_names_every_page() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    missing = {page.name for page in PAGES if f"({page.name})" not in index} - {"README.md"}
    # Pages that come later stand there as well: an index with holes misleads.
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_shown_typescript_is_that_of_the_example(page: Path) -> None:
    for shown in re.findall(r"^```ts\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        assert shown in EXAMPLES, shown


def test_both_languages_show_the_same_code() -> None:
    for page in DOCS.glob("*.ko.md"):
        english = (DOCS / page.name.replace(".ko.md", ".md")).read_text(encoding="utf-8")
        blocks = re.findall(r"^```ts\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        assert blocks == re.findall(r"^```ts\n(.*?)^```", english, re.MULTILINE | re.DOTALL)

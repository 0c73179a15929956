"""The table of variables in docs/deploy*.md; `python tests/infra/variable_table.py` writes it anew."""

import re
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
PAGES = tuple(sorted((_ROOT / "docs").glob("deploy*.md")))
_VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}$', re.MULTILINE | re.DOTALL)
_PLACE = re.compile(r"(<!-- variables -->\n).*?(<!-- /variables -->)", re.DOTALL)


def read_variables(environment: str) -> dict[str, dict[str, str]]:
    """What `variables.tf` of an environment says: type, description and default (absent when required)."""
    text = (_ROOT / "terraform/envs" / environment / "variables.tf").read_text(encoding="utf-8")
    return {
        match[1]: dict(re.findall(r"^  (type|description|default) += (.*)$", match[2], re.MULTILINE))
        for match in _VARIABLE.finditer(text)
    }


def make_table() -> str:
    """One row a variable, with the defaults of both environments."""
    dev, prod = read_variables("dev"), read_variables("prod")
    rows = ["| variable | type | meaning | dev | prod |", "|---|---|---|---|---|"]
    for name, told in prod.items():
        defaults = [f"`{variables[name].get('default', 'required')}`" for variables in (dev, prod)]
        meaning = told["description"].strip('"')
        rows.append(f"| `{name}` | `{told['type']}` | {meaning} | {' | '.join(defaults)} |")
    return "\n".join(rows) + "\n"


def fill(page: str) -> str:
    """The page with a new table between its marks."""
    return _PLACE.sub(lambda match: match[1] + make_table() + match[2], page)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(fill(path.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)

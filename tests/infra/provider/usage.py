"""Which types of the provider the configuration uses: only their schemas are served."""

import re
from pathlib import Path

_BLOCK = re.compile(r'^(resource|data) "(aws_\w+)"', re.MULTILINE)


def find_types(folder: Path) -> set[tuple[str, str]]:
    """Pairs such as ``("resource", "aws_vpc")`` from all `.tf` files below the folder."""
    return {
        (match[1], match[2])
        for file in folder.rglob("*.tf")
        for match in _BLOCK.finditer(file.read_text(encoding="utf-8"))
    }

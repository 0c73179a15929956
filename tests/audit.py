"""The audit log of a cluster, as its processes wrote it."""

import json
from pathlib import Path


def read_audit_log(logs: Path) -> dict[Path, list[dict]]:
    """The lines of each process."""
    found: dict[Path, list[dict]] = {}
    for path in logs.glob("worker-*.err"):
        lines = [
            line for line in path.read_text(errors="replace").splitlines() if '"event": "request"' in line
        ]
        if lines:
            found[path] = [json.loads(line) for line in lines]
    return found

"""The audit log of a cluster, as its processes wrote it."""

import json
import time
from pathlib import Path

_PATIENCE_S = 30


def read_audit_log(logs: Path) -> dict[Path, list[dict]]:
    """The lines of each process, as far as they are written to their end."""
    found: dict[Path, list[dict]] = {}
    for path in logs.glob("worker-*.err"):
        written, _, _ = path.read_text(errors="replace").rpartition("\n")
        lines = [line for line in written.splitlines() if '"event": "request"' in line]
        if lines:
            found[path] = [json.loads(line) for line in lines]
    return found


def wait_for_requests(logs: Path, *request_ids: str) -> dict[str, dict]:
    """The lines of all requests by their ids, these among them: a line comes after its answer was sent."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        lines = {line["request_id"]: line for found in read_audit_log(logs).values() for line in found}
        missing = set(request_ids) - lines.keys()
        if not missing:
            return lines
        assert time.monotonic() < deadline, f"no lines of {missing}"
        time.sleep(0.05)

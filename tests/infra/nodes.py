"""The entry points as real processes; what stands for `ray` and `python` writes down how it was called."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from paths import ROOT

# Called with `start` it stays, as `ray start --block` does, until it is told to end.
_FAKE_RAY = """#!/bin/bash
printf '%s\\n' "$@" > "$RECORDS/ray.new"
env | sort > "$RECORDS/environment"
trap 'echo ended >> "$RECORDS/order"; exit 0' TERM
mv "$RECORDS/ray.new" "$RECORDS/ray"
[[ -z ${FAKE_EXIT:-} ]] || exit "$FAKE_EXIT"
while :; do sleep 0.05 & wait $!; done
"""
_FAKE_PYTHON = """#!/bin/bash
case "$*" in
  "-m certifi") echo /certificates.pem ;;
  */drain_node.py*) echo "drained ${*:2}" >> "$RECORDS/order" ;;
  *) echo "$*" >> "$RECORDS/python" ;;
esac
"""


@dataclass(frozen=True)
class NodeRun:
    """What an entry point did: Ray's arguments and environment, its exit status, and the order of its end."""

    arguments: list[str]
    environment: dict[str, str]
    status: int
    order: list[str]
    errors: str

    def find(self, option: str) -> str:
        """The value of Ray's option."""
        return next(word.partition("=")[2] for word in self.arguments if word.startswith(f"--{option}="))


def run_node(folder: Path, part: str, variables: Mapping[str, str], stop: bool = True) -> NodeRun:
    """Start the entry point, wait until Ray was called, and tell it to stop (or let it end by itself)."""
    records, programs = folder / "records", folder / "programs"
    records.mkdir()
    programs.mkdir()
    for name, text in (("ray", _FAKE_RAY), ("python", _FAKE_PYTHON)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "OCR_", "PORT_"))
    }
    environment = {
        **kept,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "RECORDS": str(records),
        "OCR_NODE_IP": "10.40.0.7",
        **variables,
    }
    command = [str(ROOT / "cluster" / f"entrypoint-{part}.sh")]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        if stop:
            _wait_for(records / "ray", process)
            process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    return NodeRun(
        _read_lines(records / "ray"),
        dict(line.split("=", 1) for line in _read_lines(records / "environment") if "=" in line),
        process.returncode,
        _read_lines(records / "order"),
        errors,
    )


def _wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 30
    while not file.exists():
        assert time.monotonic() < end, "the entry point did not start Ray in time"
        assert process.poll() is None, "the entry point ended without starting Ray"
        time.sleep(0.01)


def _read_lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []

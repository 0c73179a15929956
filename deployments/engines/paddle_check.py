"""Runs Paddle's own check of its installation, without risking the process that asks.

The check trains a network on every device and starts processes of its own: it may hang or crash, and it
leaves memory behind. So it runs in a process group that is killed as a whole when its time is up.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployments.engines.paddle import PADDLE_MISSING
from deployments.engines.paddle_probe import FACTS_PREFIX

# -P: the script's own folder holds a `paddle.py`, which must not be taken for Paddle.
PROBE_COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("paddle_probe.py")))
OUTPUT_LIMIT_BYTES = 4096
# The folders of an absolute path, but neither those of a URL nor the slash in "CPU/GPU".
_FOLDERS = re.compile(r"""(?<![\w/.])(?:file://)?/(?!/)(?:[^\s'"]*/)?""")


@dataclass(frozen=True)
class PaddleCheck:
    """What Paddle's check said. ``device_count`` counts GPUs; ``reason`` says in one sentence why not ``ok``.

    ``output`` is the end of what the check printed, at most 4 KB and without folders. A fact that the check
    did not live to tell is ``None``.
    """

    ok: bool
    installed: bool
    version: str | None
    compiled_with_cuda: bool | None
    device_count: int | None
    output: str
    reason: str | None


def check_paddle(timeout_s: float = 120.0, command: Sequence[str] = PROBE_COMMAND) -> PaddleCheck:
    """Run `paddle.utils.run_check` in a process of its own for at most ``timeout_s`` seconds.

    Blocks its thread. Never raises for what Paddle does: a failure is a `PaddleCheck` with a reason.
    """
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    timed_out = False
    try:
        printed, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        timed_out = True
        os.killpg(process.pid, signal.SIGKILL)
        printed, _ = process.communicate()
    facts, output = _split_facts(printed.decode("utf-8", "replace"))
    # A check that dies before it tells a fact has got as far as a Paddle that cannot be imported.
    installed = bool(facts.get("installed", True))
    reason = None
    if timed_out:
        reason = f"Paddle's check did not end within {timeout_s:g} s."
    elif not installed:
        reason = PADDLE_MISSING
    elif process.returncode != 0:
        reason = f"Paddle's check failed with exit code {process.returncode}; its output says why."
    return PaddleCheck(
        ok=reason is None,
        installed=installed,
        version=facts.get("version"),
        compiled_with_cuda=facts.get("compiled_with_cuda"),
        device_count=facts.get("device_count"),
        output=trim_output(output),
        reason=reason,
    )


def trim_output(output: str) -> str:
    """Return the last 4 KB of an output, with the names of files but not their folders."""
    stripped = _FOLDERS.sub("", output).strip()
    return stripped.encode()[-OUTPUT_LIMIT_BYTES:].decode("utf-8", "ignore")


def _split_facts(printed: str) -> tuple[dict[str, Any], str]:
    """Separate the marked line's facts from all other lines."""
    facts: dict[str, Any] = {}
    rest = []
    for line in printed.splitlines():
        if line.startswith(FACTS_PREFIX):
            facts = json.loads(line.removeprefix(FACTS_PREFIX))
        else:
            rest.append(line)
    return facts, "\n".join(rest)

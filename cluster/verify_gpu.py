"""Whether a running service reads on a GPU: `verify_gpu.py [URL]`, with an operator's key in API_KEY.

Asks `/health` and `/debug/paddle`, prints one line for each question, and exits with

- 0 when Paddle is built with CUDA, sees a GPU, passes its own check, and a stage runs on it,
- 1 when one of these is not so,
- 2 when the service cannot be asked: nobody answers, it still starts, the key is refused.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

_HEALTH_TIMEOUT_S = 30
# Paddle's own check may take a minute or two.
_CHECK_TIMEOUT_S = 180


class NoAnswer(Exception):
    """The service cannot be asked; the text says why."""


@dataclass(frozen=True)
class Finding:
    """One question, whether the answer is yes, and what was seen."""

    question: str
    holds: bool
    seen: str


def ask(url: str, key: str, timeout_s: float) -> dict[str, Any]:
    """The JSON object behind a URL. Raises `NoAnswer`."""
    request = urllib.request.Request(url, headers={"x-api-key": key} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            content = json.load(answer)
    except urllib.error.HTTPError as error:
        raise NoAnswer(f"{url} answered {error.code} {error.reason}") from error
    except (OSError, ValueError) as error:
        raise NoAnswer(f"{url} gave no answer: {error}") from error
    if not isinstance(content, dict):
        raise NoAnswer(f"{url} answered with something else")
    return content


def judge(health: dict[str, Any], check: dict[str, Any]) -> list[Finding]:
    """What the two answers say about the GPU."""
    version = health.get("version") or {}
    devices = {name: str(stage.get("device")) for name, stage in (health.get("stages") or {}).items()}
    on_gpu = sorted(name for name, device in devices.items() if device.lower().startswith(("gpu", "cuda")))
    count = check.get("device_count") or 0
    return [
        Finding(
            "Paddle is built with CUDA",
            version.get("compiled_with_cuda") is True and check.get("compiled_with_cuda") is True,
            f"Paddle {version.get('paddle')}, CUDA {version.get('cuda')}",
        ),
        Finding("Paddle sees a GPU", count >= 1, f"{count} GPUs"),
        Finding("Paddle passes its own check", check.get("ok") is True, str(check.get("reason") or "ok")),
        Finding("A stage runs on the GPU", bool(on_gpu), ", ".join(on_gpu) or f"devices: {devices}"),
    ]


def main(arguments: list[str], key: str) -> int:
    """Ask, print, and return the exit status."""
    url = (arguments[0] if arguments else "http://127.0.0.1:8000").rstrip("/")
    try:
        health = ask(f"{url}/health", key, _HEALTH_TIMEOUT_S)
        check = ask(f"{url}/debug/paddle", key, _CHECK_TIMEOUT_S)
    except NoAnswer as error:
        print(f"cannot be asked: {error}", file=sys.stderr)
        return 2
    findings = judge(health, check)
    for finding in findings:
        print(f"{'yes' if finding.holds else 'NO '}  {finding.question} ({finding.seen})")
    return 0 if all(finding.holds for finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ.get("API_KEY", "")))

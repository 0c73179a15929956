"""The script that `paddle_check` runs in a process of its own: what Paddle is, then whether it computes.

It prints one line of facts, marked and as JSON, before the check: they are known even when the check hangs.
It imports nothing of the service, so that it runs by its path, wherever the service is installed. The exit
code is 0 when the check passed.
"""

import json
import sys

FACTS_PREFIX = "paddle-facts: "


def main() -> int:
    """Print the facts, run Paddle's own check, and return the exit code."""
    facts: dict[str, object] = {"installed": False}
    try:
        import paddle
        import paddle.utils
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "paddle":
            print(FACTS_PREFIX + json.dumps(facts), flush=True)
            return 1
        raise
    compiled_with_cuda = bool(paddle.is_compiled_with_cuda())
    facts = {
        "installed": True,
        "version": str(paddle.__version__),
        "compiled_with_cuda": compiled_with_cuda,
        "device_count": int(paddle.device.cuda.device_count()) if compiled_with_cuda else 0,
    }
    print(FACTS_PREFIX + json.dumps(facts), flush=True)
    paddle.utils.run_check()
    return 0


if __name__ == "__main__":
    sys.exit(main())

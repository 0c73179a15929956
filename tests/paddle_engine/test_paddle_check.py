"""Paddle's own check, really run."""

import sys

import pytest

from deployments.engines.paddle_check import OUTPUT_LIMIT_BYTES, check_paddle

pytest.importorskip("paddle.inference", reason="Paddle is not installed (requirements/paddle-cpu.txt)")
import paddle

pytestmark = pytest.mark.paddle


def test_paddles_own_check_passes() -> None:
    """It really runs, in a process of its own, and tells what Paddle is."""
    check = check_paddle()

    assert check.ok, check.output
    assert check.installed
    assert check.reason is None
    assert check.version == paddle.__version__
    assert check.compiled_with_cuda is paddle.is_compiled_with_cuda()
    assert check.device_count is not None
    assert "PaddlePaddle works well" in check.output
    assert sys.prefix not in check.output
    assert len(check.output.encode()) <= OUTPUT_LIMIT_BYTES

"""What Ray Serve's controller says on a terminal."""

import importlib
import logging
from collections.abc import Iterator

import pytest

from serve_app.controller_log import CALLBACK_PATH


@pytest.fixture
def serve_logger() -> Iterator[logging.Logger]:
    """Serve's logger as the controller has it after it has called what the variable names."""
    logger = logging.getLogger("ray.serve")
    before = list(logger.filters)
    module, name = CALLBACK_PATH.split(":")
    getattr(importlib.import_module(module), name)()
    yield logger
    logger.filters[:] = before


def test_only_false_alarms_are_left_out(
    serve_logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    serve_logger.warning("Cannot deregister autoscaling state for deployment %s", "Ingress")
    serve_logger.warning("HTTPOptions.host=%r won't accept connections from other nodes", "127.0.0.1")
    serve_logger.warning("Cannot place a replica of %s", "Ingress")
    assert caplog.messages == ["Cannot place a replica of Ingress"]

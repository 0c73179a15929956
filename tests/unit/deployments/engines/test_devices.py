"""Devices by the words of a profile."""

import pytest

from deployments.engines.devices import choose_gpu
from deployments.errors import ModelError


@pytest.mark.parametrize(
    ("device", "gpus", "chosen"),
    [("cpu", 2, None), ("auto", 0, None), ("auto", 2, 0), ("gpu", 1, 0), ("gpu:0", 1, 0), ("gpu:1", 2, 1)],
)
def test_a_device_is_chosen_from_those_there_are(device: str, gpus: int, chosen: int | None) -> None:
    """Only `auto` looks for itself."""
    assert choose_gpu(device, gpus) == chosen


@pytest.mark.parametrize(("device", "gpus"), [("gpu", 0), ("gpu:2", 2), ("gpu:x", 1), ("tpu", 1), ("", 1)])
def test_a_device_that_is_not_there_is_an_error(device: str, gpus: int) -> None:
    """A GPU asked for by name is never replaced by a CPU."""
    with pytest.raises(ModelError, match="device"):
        choose_gpu(device, gpus)

"""Classes picked from what OpenVINO computes of them."""

import numpy as np
import pytest

from deployments.engines.openvino_steps import pick_from_bits


@pytest.mark.parametrize("shift", [0.0, -60.0])
def test_classes_are_picked_from_the_bits_of_bfloat16(shift: float) -> None:
    """As from the same numbers in single precision, also where all of them are negative."""
    numbers = np.random.default_rng(2).normal(0, 8, (2, 50, 300)).astype(np.float32) + np.float32(shift)
    numbers[0, :20, 0] = 99 + shift
    bits = (numbers.view(np.uint32) >> 16).astype(np.uint16)
    rounded = (bits.astype(np.uint32) << 16).view(np.float32)
    steps = pick_from_bits(bits)
    np.testing.assert_array_equal(steps.best, rounded.argmax(axis=2))
    softmax = np.exp(rounded - rounded.max(axis=2, keepdims=True))
    softmax /= softmax.sum(axis=2, keepdims=True)
    spoken = steps.best != 0
    np.testing.assert_allclose(steps.certainty[spoken], softmax.max(axis=2)[spoken], rtol=1e-5)
    assert not steps.certainty[~spoken].any()

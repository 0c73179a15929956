"""What every engine is: a loaded network that maps arrays to arrays.

An engine object belongs to one thread. None of the backends promises that two threads may run one predictor
at the same time (PaddleX's own mixes up the texts of two callers then), so a replica gives each of its
threads an engine of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deployments.document import FloatArray


@dataclass(frozen=True)
class NetworkFiles:
    """The files of one network, as an engine needs them.

    ``weights`` is ``inference.onnx``, or ``inference.json`` beside its ``.pdiparams`` for Paddle; ``config``
    is the parsed ``inference.yml``. The fake engine has no weights.
    """

    name: str
    task: str
    weights: Path | None
    config: dict[str, Any]


def list_operations(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a network wants done to its images, by name: the arguments of each step of its ``PreProcess``."""
    steps = config.get("PreProcess", {}).get("transform_ops", [])
    return {name: arguments or {} for step in steps for name, arguments in step.items()}


@dataclass(frozen=True, eq=False)
class StepClasses:
    """What a CTC network says at each step: the ``best`` class and its ``certainty``, both of shape (N, T).

    The probability of class 0, the blank, may be left at 0: no text depends on it.
    """

    best: NDArray[np.intp]
    certainty: FloatArray


class Engine(Protocol):
    """A loaded network.

    ``name`` is the backend, ``version`` its release, ``device`` where it runs (``cpu``, ``gpu:0``) and
    ``precision`` the arithmetic that it settled on (``f32``, ``bf16``).
    """

    name: str
    version: str
    device: str
    precision: str

    @property
    def input_count(self) -> int:
        """How many inputs the network has."""
        ...

    def run(self, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        """Outputs of the network, in its own order, for inputs in its own order (float32, batch first)."""
        ...


class StepEngine(Protocol):
    """What a recogniser's engine may offer besides: classes of steps with no probabilities of all classes."""

    @property
    def classifies_steps(self) -> bool:
        """Whether this network is to be asked in this way; `Engine.run` may then be refused."""
        ...

    def encode_steps(self, batch: FloatArray) -> Any:
        """What the network makes of one batch (N, 3, H, W), for `classify_steps`."""
        ...

    def classify_steps(self, encoded: Sequence[Any]) -> list[StepClasses]:
        """The classes of the steps of each batch."""
        ...


class PixelEngine(Protocol):
    """What a detector's engine may offer besides: a network that normalises pages by itself."""

    takes_pixels: bool

    def run_pixels(self, batch: NDArray[np.uint8]) -> list[FloatArray]:
        """As `Engine.run`, for pages of shape (N, H, W, 3) in the order of channels that the network has."""
        ...

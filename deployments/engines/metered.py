"""An engine that counts: runs and the processor time that they take."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deployments.document import FloatArray
from deployments.engines.base import Engine, StepClasses
from deployments.usage import Usage, choose_clock


class MeteredEngine:
    """Another engine, whose runs are added to a `Usage`; see `deployments.engines.base.Engine`."""

    def __init__(self, engine: Engine, usage: Usage, threads: int = 1) -> None:
        self._engine = engine
        self._usage = usage
        self._read_cpu_s = choose_clock(threads)
        self.name, self.version = engine.name, engine.version
        self.device, self.precision = engine.device, engine.precision

    def __getattr__(self, name: str) -> Any:
        """What only some engines have."""
        return getattr(self._engine, name)

    @property
    def input_count(self) -> int:
        """As the engine's own."""
        return self._engine.input_count

    def run(self, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        """As the engine's own."""
        with self._counted():
            return self._engine.run(inputs)

    def run_pixels(self, batch: NDArray[np.uint8]) -> list[FloatArray]:
        """As the engine's own, where it ``takes_pixels``."""
        with self._counted():
            return self._engine.run_pixels(batch)  # type: ignore[attr-defined]

    def encode_steps(self, batch: FloatArray) -> Any:
        """As the engine's own, where it ``classifies_steps``."""
        with self._counted():
            return self._engine.encode_steps(batch)  # type: ignore[attr-defined]

    def classify_steps(self, encoded: Sequence[Any]) -> list[StepClasses]:
        """As the engine's own, where it ``classifies_steps``: the end of runs that count already."""
        with self._counted(runs=0):
            steps: list[StepClasses] = self._engine.classify_steps(encoded)  # type: ignore[attr-defined]
            return steps

    @contextmanager
    def _counted(self, runs: int = 1) -> Iterator[None]:
        usage, start_cpu_s, start_s = self._usage, self._read_cpu_s(), time.perf_counter()
        if not usage.first_run_s:
            usage.first_run_s = start_s
        try:
            yield
        finally:
            usage.runs += runs
            usage.progress_s = time.monotonic()
            usage.network_s += time.perf_counter() - start_s
            usage.network_cpu_s += self._read_cpu_s() - start_cpu_s

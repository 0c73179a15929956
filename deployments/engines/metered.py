"""An engine that counts: runs and the processor time that they take."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

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

    def classify_steps(self, inputs: Sequence[FloatArray]) -> StepClasses:
        """As the engine's own, where it ``classifies_steps``."""
        with self._counted():
            steps: StepClasses = self._engine.classify_steps(inputs)  # type: ignore[attr-defined]
            return steps

    @contextmanager
    def _counted(self) -> Iterator[None]:
        usage, start_cpu_s, start_s = self._usage, self._read_cpu_s(), time.perf_counter()
        if not usage.first_run_s:
            usage.first_run_s = start_s
        try:
            yield
        finally:
            usage.runs += 1
            usage.progress_s = time.monotonic()
            usage.network_s += time.perf_counter() - start_s
            usage.network_cpu_s += self._read_cpu_s() - start_cpu_s

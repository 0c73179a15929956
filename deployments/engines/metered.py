"""An engine that counts: runs and the processor time that they take."""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from deployments.document import FloatArray
from deployments.engines.base import Engine
from deployments.usage import Usage

AnswerT = TypeVar("AnswerT")
Run = Callable[[Sequence[FloatArray]], AnswerT]


class MeteredEngine:
    """Another engine, whose runs are added to a `Usage`; see `deployments.engines.base.Engine`."""

    def __init__(self, engine: Engine, usage: Usage) -> None:
        self._engine = engine
        self._usage = usage
        self.name, self.version = engine.name, engine.version
        self.device, self.precision = engine.device, engine.precision
        if hasattr(engine, "classify_steps"):
            self.classify_steps = self._count(engine.classify_steps)
        self.run = self._count(engine.run)

    def __getattr__(self, name: str) -> Any:
        """What only some engines have."""
        return getattr(self._engine, name)

    def _count(self, run: Run[AnswerT]) -> Run[AnswerT]:
        def counted(inputs: Sequence[FloatArray]) -> AnswerT:
            start_s = time.thread_time()
            try:
                return run(inputs)
            finally:
                self._usage.runs += 1
                self._usage.network_cpu_s += time.thread_time() - start_s

        return counted

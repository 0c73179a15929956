"""How long each stage of a page or a document took."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from deployments.document import Page
from deployments.tracing import trace_span


class StageClock:
    """Wall time of each stage in milliseconds, waiting in queues included."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self.stage_ms: dict[str, float] = {}

    def add(self, stage: str, elapsed_ms: float) -> None:
        """Add to a stage's time."""
        self.stage_ms[stage] = round(self.stage_ms.get(stage, 0.0) + elapsed_ms, 2)

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        start = time.perf_counter()
        try:
            with trace_span(stage):
                yield
        finally:
            self.add(stage, (time.perf_counter() - start) * 1e3)

    def total_ms(self) -> float:
        """Milliseconds since the clock was made."""
        return round((time.perf_counter() - self._start) * 1e3, 2)

    def with_pages(self, pages: Sequence[Page]) -> dict[str, float]:
        """The document's own stages, the sums over its pages, and the total."""
        for page in pages:
            for stage, elapsed_ms in page.stage_ms.items():
                self.add(stage, elapsed_ms)
        return {**self.stage_ms, "total": self.total_ms()}

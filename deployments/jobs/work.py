"""What the engine of jobs needs of whatever reads documents: the graph, or a stand-in."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from deployments.document import Page
from deployments.jobs.states import Order


class OpenDocument(Protocol):
    """A document whose pages are read one by one; ``numbers`` are those that were ordered, from 1."""

    pages_total: int
    numbers: Sequence[int]

    async def read_page(self, number: int) -> Page:
        """A page with its text or its error. Raises `Busy` when nobody can read it now."""
        ...


class JobWork(Protocol):
    """Reads documents, and writes their results. Every method raises `ServiceError` only."""

    def open(self, data: bytes, order: Order) -> AbstractAsyncContextManager[OpenDocument]:
        """Open a document. Raises `InputError` when it cannot be read as a whole."""
        ...

    async def assemble(
        self, data: bytes, order: Order, pages: Sequence[Page], pages_total: int
    ) -> Mapping[str, bytes]:
        """The result of a document in each form that was ordered, from its pages in order."""
        ...

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> int:
        """Send a body to a webhook's address; the status of the answer, 0 where there was none."""
        ...

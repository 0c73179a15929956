"""What the HTTP edge needs of whatever reads documents: handles of the graph, or a stand-in."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from deployments.document import Document, Page, ReadOptions, StageInfo
from deployments.extraction.fields import ExtractedFields
from deployments.extraction.wanted import ExtractionRequest
from deployments.flow import PageSource

# What `DocumentReader.probe` says of a stage that ends when nobody asks, and starts with the next request.
ON_DEMAND = "on demand"


class PageReading(Protocol):
    """A document that was let in; see `deployments.reading.DocumentReading`."""

    pages_total: int
    numbers: Sequence[int]
    models: tuple[StageInfo, ...]
    options: ReadOptions

    def read_pages(self) -> AsyncGenerator[Page, None]:
        """Each page, in order, as soon as it is done."""
        ...

    def measure(self, pages: Iterable[Page]) -> dict[str, float]:
        """Milliseconds of each stage over these pages, and of the whole."""
        ...


class PageShower(Protocol):
    """Shows the pages of documents, and writes into them. Every method raises `ServiceError` only."""

    def open_pages(self, data: bytes, options: ReadOptions) -> AbstractAsyncContextManager[PageSource]:
        """The pages of a document as pixels, one at a time, as they were or are to be read.

        They stand as in the file: a page of a `Document` was turned by its ``rotation`` besides.
        """
        ...

    async def write_pdf(self, data: bytes, document: Document) -> bytes:
        """The pages of ``document``, which was read from ``data``, as a PDF with their text over them."""
        ...


class FieldsReader(Protocol):
    """Reads documents, keeps them perhaps, and finds fields. Every method raises `ServiceError` only."""

    async def read(self, data: bytes, options: ReadOptions) -> Document:
        """Read every page that was asked for, each with its text or its error."""
        ...

    async def keep(self, owner: str, data: bytes, document: Document) -> str | None:
        """Keep a document for further requests of its owner; its id, or None when it is not kept."""
        ...

    async def find_kept(self, owner: str, data: bytes, options: ReadOptions) -> tuple[str, Document] | None:
        """What `read` has given for these bytes and options, if it was kept, with its id."""
        ...

    async def open_kept(self, owner: str, document_id: str) -> Document | None:
        """The owner's document, or None when it is not kept, or not any more."""
        ...

    async def check_extraction(self, request: ExtractionRequest) -> None:
        """Raise `Unprocessable` for what cannot be extracted here, whatever the document is."""
        ...

    async def extract(
        self, document: Document, request: ExtractionRequest, deadline_s: float
    ) -> ExtractedFields:
        """The fields of a document, within so many seconds. Raises `NoText`, and as `check_extraction`."""
        ...


class DocumentReader(PageShower, FieldsReader, Protocol):
    """Reads documents. Every method raises `ServiceError` only, `asyncio.CancelledError` aside."""

    def open_reading(
        self, data: bytes, options: ReadOptions, after: int = 0
    ) -> AbstractAsyncContextManager[PageReading]:
        """Open a document whose pages are read one by one, those up to number ``after`` left out."""
        ...

    def check_room(self) -> None:
        """Raise `Busy`, with the time to wait, when no document would be let in now."""
        ...

    async def describe(self) -> tuple[StageInfo, ...]:
        """Ask every stage that always runs what it is. Raises `NotReady` until each of them answers."""
        ...

    async def probe(self) -> Mapping[str, str]:
        """Ask every stage that always runs for a real inference; of each `ok`, or why there is none."""
        ...

    def list_on_demand(self) -> tuple[str, ...]:
        """Name the stages that end when nobody asks, and start with the next request that needs them."""
        ...

    async def check_paddle(self) -> dict[str, object]:
        """Run Paddle's own check of its installation; the answer holds plain JSON values."""
        ...

    def languages(self) -> tuple[str, ...]:
        """List the codes of the languages that can be asked for."""
        ...

"""Work for the engine of jobs that needs no models: documents are texts that say what shall become of them.

`3` is a document of three pages; `3 slow` takes a while for each; `3 bad=2` fails on its second page;
`encrypted` cannot be opened; `busy` is refused twice before it is opened.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deployments.document import Page, PageError
from deployments.errors import Busy
from deployments.input_errors import EncryptedPdf, MalformedImage
from deployments.jobs.states import Order

SLOW_S = 0.1


@dataclass
class TextDocument:
    """A document whose pages are as many as it says."""

    text: str
    pages_total: int
    numbers: Sequence[int]
    work: "TextWork"

    async def read_page(self, number: int) -> Page:
        """Note that the page is read, and read it."""
        self.work.note(f"{self.text}#{number}")
        if "hang" in self.text:
            await asyncio.Event().wait()
        if "slow" in self.text:
            await asyncio.sleep(SLOW_S)
        if f"bad={number}" in self.text.split():
            return Page(number, error=PageError("malformed_pdf", f"Page {number} cannot be drawn."))
        return Page(number, 40, 20)


class TextWork:
    """A `JobWork`. What it reads is written to ``log``, a line a page, so that other processes can count."""

    def __init__(self, log: Path | None = None) -> None:
        self._log = log
        self.read: list[str] = []
        self.posts: list[tuple[str, bytes, Mapping[str, str]]] = []
        self.answers: list[int] = []
        self.refusals = 2

    def note(self, page: str) -> None:
        """Write a page down."""
        self.read.append(page)
        if self._log is not None:
            with self._log.open("a") as file:
                file.write(page + "\n")

    @asynccontextmanager
    async def open(self, data: bytes, order: Order) -> AsyncIterator[TextDocument]:
        """Open a text."""
        text = data.decode()
        if text == "encrypted":
            raise EncryptedPdf()
        if text == "busy" and self.refusals:
            self.refusals -= 1
            raise Busy("not now", 1)
        count = text.split()[0] if text else ""
        if not count.isdigit() and text != "busy":
            raise MalformedImage()
        pages_total = int(count) if count.isdigit() else 1
        yield TextDocument(text, pages_total, range(1, pages_total + 1), self)

    async def assemble(
        self, data: bytes, order: Order, pages: Sequence[Page], pages_total: int
    ) -> Mapping[str, bytes]:
        """The numbers of the pages, in each form."""
        text = ",".join(str(page.number) for page in pages)
        return {form: text.encode() for form in order.formats}

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> int:
        """Note what was sent; answer as a test says, else with 200."""
        self.posts.append((url, body, headers))
        return self.answers.pop(0) if self.answers else 200

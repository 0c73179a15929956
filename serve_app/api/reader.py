"""What the HTTP edge needs of whatever reads documents: handles of the graph, or a stand-in."""

from typing import Protocol

from deployments.document import Document, ReadOptions, StageInfo


class DocumentReader(Protocol):
    """Reads documents. Every method raises `ServiceError` only, `asyncio.CancelledError` aside."""

    async def read(self, data: bytes, options: ReadOptions) -> Document:
        """Read every page that was asked for, each with its text or its error."""
        ...

    def check_room(self) -> None:
        """Raise `Busy`, with the time to wait, when no document would be let in now."""
        ...

    async def describe(self) -> tuple[StageInfo, ...]:
        """Ask every stage what it is. Raises `NotReady` until each of them answers."""
        ...

    async def check_paddle(self) -> dict[str, object]:
        """Run Paddle's own check of its installation; the answer holds plain JSON values."""
        ...

    def languages(self) -> tuple[str, ...]:
        """List the codes of the languages that can be asked for."""
        ...

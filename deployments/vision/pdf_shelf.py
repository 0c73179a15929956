"""PDF files that stay open between their pages."""

from collections import OrderedDict
from collections.abc import Callable

from deployments.vision.pdf import PdfDocument

_MAX_DOCUMENTS = 8
_MAX_BYTES = 128 * 1024 * 1024


class PdfShelf:
    """Keeps the documents that were used last, so that a long one is not copied and parsed for each page.

    At most eight, and of together at most 128 MiB unless a single one has more: who leaves in the middle of a
    document does not say so. Used from one thread, as pdfium wants it.
    """

    def __init__(self, max_documents: int = _MAX_DOCUMENTS, max_bytes: int = _MAX_BYTES) -> None:
        self._max_documents = max_documents
        self._max_bytes = max_bytes
        self._open: OrderedDict[str, tuple[PdfDocument, int]] = OrderedDict()

    def open(self, key: str, read_bytes: Callable[[], bytes]) -> PdfDocument:
        """The document of this key, opened from its bytes if it is not open; it stays the shelf's own.

        Raises what `PdfDocument` raises.
        """
        if key in self._open:
            self._open.move_to_end(key)
            return self._open[key][0]
        data = read_bytes()
        document = PdfDocument(data)
        self._open[key] = (document, len(data))
        while len(self._open) > 1 and self._is_too_full():
            _, (oldest, _) = self._open.popitem(last=False)
            oldest.close()
        return document

    def _is_too_full(self) -> bool:
        held_bytes = sum(size for _, size in self._open.values())
        return len(self._open) > self._max_documents or held_bytes > self._max_bytes

    def __len__(self) -> int:
        """How many documents are open."""
        return len(self._open)

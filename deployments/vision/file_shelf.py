"""Files that stay open between their pages."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol, TypeVar, cast

_MAX_FILES = 8
_MAX_BYTES = 128 * 1024 * 1024


class OpenFile(Protocol):
    """A file that was opened, and that can be closed."""

    def close(self) -> None:
        """Free what it holds."""
        ...


FileT = TypeVar("FileT", bound=OpenFile)


class FileShelf:
    """Keeps the files that were used last, so that a long one is not copied and parsed for each page.

    At most eight, and of together at most 128 MiB unless a single one has more: who leaves in the middle of a
    document does not say so. Used from one thread, as pdfium wants it.
    """

    def __init__(self, max_files: int = _MAX_FILES, max_bytes: int = _MAX_BYTES) -> None:
        self._max_files = max_files
        self._max_bytes = max_bytes
        self._open: OrderedDict[str, tuple[OpenFile, int]] = OrderedDict()

    def open(self, key: str, read_bytes: Callable[[], bytes], open_file: Callable[[bytes], FileT]) -> FileT:
        """The file of this key, opened from its bytes if it is not open; it stays the shelf's own.

        A key is always opened in the same way. Raises what ``open_file`` raises.
        """
        if key in self._open:
            self._open.move_to_end(key)
            return cast(FileT, self._open[key][0])
        data = read_bytes()
        file = open_file(data)
        self._open[key] = (file, len(data))
        while len(self._open) > 1 and self._is_too_full():
            _, (oldest, _) = self._open.popitem(last=False)
            oldest.close()
        return file

    def _is_too_full(self) -> bool:
        held_bytes = sum(size for _, size in self._open.values())
        return len(self._open) > self._max_files or held_bytes > self._max_bytes

    def __len__(self) -> int:
        """How many files are open."""
        return len(self._open)

"""A ZIP as the documents in it. It is not believed what it says of itself: bytes are counted."""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO

from configs.jobs import ArchiveLimits
from deployments.input_errors import MalformedArchive, TooLarge, TooManyFiles

MAGIC = b"PK\x03\x04"
EMPTY_MAGIC = b"PK\x05\x06"
_CHUNK_BYTES = 1024 * 1024
_IN_MEMORY_BYTES = 4 * 1024 * 1024
# Below so many bytes nobody is harmed by how well they were packed.
_RATIO_FROM_BYTES = 10 * 1024 * 1024
_MAX_NAME = 400
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class Entry:
    """A document of an archive: its path inside, cleaned, and an open file, which its taker closes."""

    name: str
    file: IO[bytes]


def is_archive(head: bytes) -> bool:
    """Whether bytes begin like a ZIP."""
    return head.startswith((MAGIC, EMPTY_MAGIC))


def open_entries(file: IO[bytes], limits: ArchiveLimits, max_file_bytes: int) -> Iterator[Entry]:
    """The documents of a ZIP, one at a time.

    Directories, links and what programs hide there are left out. Raises `MalformedArchive` for an archive
    that is broken, encrypted, or holds another one, `TooManyFiles` and `TooLarge`.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            infos = [info for info in archive.infolist() if _is_document(info)]
            if len(infos) > limits.max_entries:
                raise TooManyFiles(f"The archive has more than {limits.max_entries} files.")
            if not infos:
                raise MalformedArchive("The archive has no files.")
            left_bytes = limits.max_total_bytes
            for info in infos:
                opened = _unpack(archive, info, limits, min(left_bytes, max_file_bytes))
                left_bytes -= opened.seek(0, 2)
                opened.seek(0)
                yield Entry(clean_name(info.filename), opened)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError) as error:
        raise MalformedArchive("The archive cannot be unpacked.") from error


def clean_name(name: str) -> str:
    """A file's name or path for reading alone: no way out of its folder, no control characters."""
    parts = name.replace("\\", "/").split("/")
    kept = [part.strip() for part in parts if part.strip() not in ("", ".", "..")]
    shown = "".join(letter for letter in "/".join(kept) if letter.isprintable())
    return shown[-_MAX_NAME:].lstrip("/") or "file"


def _is_document(info: zipfile.ZipInfo) -> bool:
    parts = info.filename.replace("\\", "/").split("/")
    is_link = stat.S_ISLNK(info.external_attr >> 16)
    is_hidden = (
        any(part.startswith(".") and part not in (".", "..") for part in parts) or parts[0] == "__MACOSX"
    )
    return not (info.is_dir() or is_link or is_hidden)


def _unpack(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: ArchiveLimits, max_bytes: int
) -> IO[bytes]:
    if info.flag_bits & _ENCRYPTED:
        raise MalformedArchive("The archive is encrypted.")
    if info.compress_type not in _METHODS:
        raise MalformedArchive("The archive is packed in a way that is not read here.")
    target = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - handed on
    written = 0
    try:
        with archive.open(info) as source:
            while chunk := source.read(_CHUNK_BYTES):
                if written == 0 and is_archive(chunk) and _holds_archive(info.filename):
                    raise MalformedArchive("The archive holds another one.")
                written += len(chunk)
                if written > max_bytes:
                    raise TooLarge(f"The archive unpacks to more than {max_bytes} bytes.")
                if written > max(_RATIO_FROM_BYTES, info.compress_size * limits.max_ratio):
                    raise MalformedArchive("The archive is packed too tightly to be documents.")
                target.write(chunk)
    except BaseException:
        target.close()
        raise
    return target


def _holds_archive(name: str) -> bool:
    # Documents of offices are ZIPs as well; whoever reads them says whether they are read.
    return not name.lower().endswith((".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub"))

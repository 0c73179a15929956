"""Documents that are kept for a while."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deployments.blocks import Block, Picture, Table, TableCell
from deployments.document import Document, Line, Page, PageError, ReadOptions, StageInfo, Word
from deployments.document_codec import decode_document, encode_document
from deployments.document_shelf import DocumentShelf, hash_content

_MIB = 1024 * 1024


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shelf(tmp_path: Path, clock: Clock) -> Iterator[DocumentShelf]:
    """Room for two documents of a MiB in memory and three on disk, for a minute."""
    kept = DocumentShelf(2, 3, 60.0, tmp_path, clock)
    yield kept
    kept.close()


def make(letter: str, mib: float = 1.0) -> bytes:
    """A document of this size."""
    return letter.encode() * int(mib * _MIB)


def test_a_document_is_found_by_its_id_and_by_what_it_is(shelf: DocumentShelf) -> None:
    """The same one has the same id."""
    document_id = shelf.put("me", "content", b"data")
    assert document_id is not None
    assert shelf.get("me", document_id) == b"data"
    assert shelf.find("me", "content") == (document_id, b"data")
    assert shelf.put("me", "content", b"data") == document_id


def test_another_owner_finds_nothing(shelf: DocumentShelf) -> None:
    """Neither by the id nor by the same file; names cannot be glued into another's."""
    document_id = shelf.put("me", "content", b"data")
    assert document_id is not None
    assert shelf.get("you", document_id) is None
    assert shelf.find("you", "content") is None
    assert shelf.find("", "mecontent") is None
    assert shelf.find("mecon", "tent") is None


def test_ids_cannot_be_computed_from_the_file(tmp_path: Path, shelf: DocumentShelf) -> None:
    """Another shelf names the same document differently."""
    other = DocumentShelf(1, 1, 60.0, tmp_path)
    assert other.name("me", "content") != shelf.name("me", "content")
    other.close()


def test_documents_leave_after_their_time(shelf: DocumentShelf, clock: Clock, tmp_path: Path) -> None:
    """In memory and on disk, where no file stays."""
    ids = [shelf.put("me", letter, make(letter)) for letter in "abcd"]
    clock.now_s += 59.0
    assert all(shelf.get("me", str(one)) for one in ids)
    clock.now_s += 1.5
    assert not any(shelf.get("me", str(one)) for one in ids)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert (shelf.describe().memory_bytes, shelf.describe().disk_bytes) == (0, 0)


def test_what_has_no_room_in_memory_lies_on_disk(shelf: DocumentShelf) -> None:
    """And what has none there either is gone: what was not used for longest."""
    ids = {letter: str(shelf.put("me", letter, make(letter))) for letter in "abcdefg"}
    usage = shelf.describe()
    assert (usage.memory_bytes, usage.disk_bytes, usage.evictions) == (2 * _MIB, 3 * _MIB, 2)
    found = {letter for letter, one in ids.items() if shelf.get("me", one) == make(letter)}
    assert found == set("cdefg")


def test_a_large_document_goes_to_disk_or_nowhere(shelf: DocumentShelf) -> None:
    """And does not push others out of memory."""
    small = str(shelf.put("me", "small", b"data"))
    large = shelf.put("me", "large", make("x", 2.5))
    assert large is not None
    assert shelf.get("me", large) == make("x", 2.5)
    assert shelf.put("me", "huge", make("y", 3.5)) is None
    assert shelf.get("me", small) == b"data"


def test_what_was_changed_on_disk_is_not_found(shelf: DocumentShelf, tmp_path: Path) -> None:
    """A missing file likewise; the service goes on."""
    ids = {letter: str(shelf.put("me", letter, make(letter))) for letter in "abcd"}
    first, second = sorted(path for path in tmp_path.rglob("doc_*"))
    first.write_bytes(b"something else")
    second.unlink()
    assert {letter for letter, one in ids.items() if shelf.get("me", one)} == set("cd")
    assert shelf.put("me", "a", make("a")) == ids["a"]


def test_only_the_service_may_enter_the_folder(shelf: DocumentShelf, tmp_path: Path) -> None:
    """Documents are nobody else's business."""
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o077 == 0


def test_hashes_tell_readings_apart() -> None:
    """Another option, another content."""
    options = ReadOptions()
    assert hash_content(b"x", options) == hash_content(b"x", ReadOptions())
    assert hash_content(b"x", options) != hash_content(b"x", replace(options, dpi=300))
    assert hash_content(b"x", options) != hash_content(b"y", options)


def test_a_document_survives_being_written_and_read() -> None:
    """Every part of it, arrays exactly."""
    quad = np.array([[1.1, 2], [3, 2], [3, 4.7], [1, 4]], np.float32)
    lines = (Line("안녕 \x00", 0.5, quad, (Word("안녕", 0.25, quad),), True),)
    box = (1.0, 2.0, 3.0, 4.0)
    table = Table(1, 1, (TableCell(0, 0, 1, 1, True, "a", box, (0,)),), box, 0.5, 90, True)
    picture = Picture("image/png", b"\x89PNG", 1, 2)
    block = Block("figure", box, "x", (0,), None, 2, 0, picture, "E")
    pages = (
        Page(1, 10, 20, 270, lines, None, {"detection": 1.5}, (block,), (table,)),
        Page(2, error=PageError("malformed_pdf", "no")),
    )
    models = (StageInfo("detection", "m", "1", "ab", "fake", "1", "CPU", "f32"),)
    document = Document(pages, 2, models, {"total": 2.0}, ReadOptions(pages=(1, 2), lang="ko"))
    again = decode_document(encode_document(document))
    np.testing.assert_array_equal(again.pages[0].lines[0].quad, quad)
    assert again.pages[0].lines[0].quad.dtype == np.float32
    assert again.pages[0].blocks == (block,)
    assert again.pages[0].tables == (table,)
    assert again.pages[1] == document.pages[1]
    assert (again.models, again.options, again.stage_ms) == (models, document.options, document.stage_ms)
    assert encode_document(again) == encode_document(document)


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x80", b"\x93\x01\x02\x03", b"{}"])
def test_what_is_no_document_is_refused(data: bytes) -> None:
    """Another version's or anybody's bytes."""
    with pytest.raises(ValueError, match="no document"):
        decode_document(data)

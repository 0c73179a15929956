"""Shards: so many files that are read by one actor, and that count as done together.

A shard that is done leaves a marker beside the results, a JSON line for each of its files. Markers are what a
later run goes by: a file is done when a marker names it in this version, read by this task.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import obstore

from serve_app.bulk.places import OWN_FOLDER, Entry, list_documents
from serve_app.file_reading.report import FileReport


@dataclass(frozen=True)
class Shard:
    """Files that are done together; ``name`` follows from them."""

    name: str
    entries: tuple[Entry, ...]


class Markers:
    """The shards that one task has done in a store of results."""

    def __init__(self, store: Any, fingerprint: str) -> None:
        self._store = store
        self._folder = f"{OWN_FOLDER}/{fingerprint}/done"

    def load(self, *, tries_failed: bool) -> tuple[frozenset[bytes], list[FileReport]]:
        """Hashes of the files that are done, and what became of those that had faults."""
        done: set[bytes] = set()
        for row in self._read_rows():
            if not (tries_failed and row["report"].get("code")):
                done.add(_hash_entry(Entry(row["report"]["source"], row["version"])))
        return frozenset(done), []

    def write(self, shard: Shard, reports: list[FileReport]) -> None:
        """Mark a shard as done; its results must be there."""
        rows = [
            json.dumps({"version": entry.version, "report": asdict(report)}, ensure_ascii=False)
            for entry, report in zip(shard.entries, reports, strict=True)
        ]
        obstore.put(self._store, f"{self._folder}/{shard.name}.jsonl", "\n".join(rows).encode())

    def _read_rows(self) -> Iterator[dict[str, Any]]:
        for batch in obstore.list(self._store, prefix=self._folder):
            for item in batch:
                content = bytes(obstore.get(self._store, item["path"]).bytes())
                yield from map(json.loads, content.splitlines())


def make_shards(store: Any, done: frozenset[bytes], files_a_shard: int) -> Iterator[Shard]:
    """The files that are not done yet, as they are listed, in shards."""
    entries: list[Entry] = []
    for entry in list_documents(store):
        if _hash_entry(entry) in done:
            continue
        entries.append(entry)
        if len(entries) == files_a_shard:
            yield _make_shard(entries)
            entries = []
    if entries:
        yield _make_shard(entries)


def _make_shard(entries: list[Entry]) -> Shard:
    whole = hashlib.blake2b(digest_size=16)
    for entry in entries:
        whole.update(_hash_entry(entry))
    return Shard(whole.hexdigest(), tuple(entries))


def _hash_entry(entry: Entry) -> bytes:
    """Sixteen bytes in place of a key: a set of millions of them has room in memory."""
    return hashlib.blake2b(f"{entry.key}\0{entry.version}".encode(), digest_size=16).digest()

"""Shards: so many files that are read by one actor, and that count as done together.

A shard that is done leaves a marker beside the results, a JSON line for each of its files. Markers are what a
later run goes by: a file is done when a marker names it in this version, read by this task.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import obstore

from serve_app.bulk.places import OWN_FOLDER, Entry, list_documents
from serve_app.file_reading.report import FileReport, Totals


@dataclass(frozen=True)
class Shard:
    """Files that are done together; ``name`` follows from them."""

    name: str
    entries: tuple[Entry, ...]

    def to_json(self) -> str:
        """The shard as text, for its way through the cluster."""
        return json.dumps([self.name, [(entry.key, entry.version) for entry in self.entries]])

    @classmethod
    def from_json(cls, text: str) -> "Shard":
        """Read what `to_json` wrote."""
        name, entries = json.loads(text)
        return cls(name, tuple(Entry(*entry) for entry in entries))


class Markers:
    """The shards that one task has done in a store of results."""

    def __init__(self, store: Any, fingerprint: str) -> None:
        self._store = store
        self._folder = f"{OWN_FOLDER}/{fingerprint}/done"

    def load_done(self, *, tries_failed: bool) -> frozenset[bytes]:
        """Hashes of the files that are done; with ``tries_failed`` those with faults are not."""
        return frozenset(
            _hash_entry(Entry(report.source, version))
            for version, report in self._read_rows()
            if report.is_whole or not tries_failed
        )

    def count(self, *, tries_failed: bool) -> Totals:
        """What is done already."""
        totals = Totals()
        for _, report in self._read_rows():
            if report.outcome == "failed" and not tries_failed:
                totals.add(report)
            elif report.is_whole or not tries_failed:
                totals.add(replace(report, outcome="kept"))
        return totals

    def write(self, shard: Shard, reports: list[FileReport]) -> None:
        """Mark a shard as done; its results must be there."""
        rows = [
            json.dumps({"version": entry.version, "report": asdict(report)}, ensure_ascii=False)
            for entry, report in zip(shard.entries, reports, strict=True)
        ]
        obstore.put(self._store, f"{self._folder}/{shard.name}.jsonl", "\n".join(rows).encode())

    def _read_rows(self) -> Iterator[tuple[str, FileReport]]:
        for batch in obstore.list(self._store, prefix=self._folder):
            for item in batch:
                content = bytes(obstore.get(self._store, item["path"]).bytes())
                for line in content.splitlines():
                    row = json.loads(line)
                    yield row["version"], FileReport.from_json(row["report"])


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

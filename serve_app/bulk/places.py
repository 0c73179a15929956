"""Where files come from and results go: a bucket or a folder, and which of its files are documents."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.store import LocalStore, from_url

from serve_app.file_reading.sources import DOCUMENT_SUFFIXES

OWN_FOLDER = "_bulk"
_KEYS_A_LIST = 1000


@dataclass(frozen=True)
class Place:
    """A folder or a prefix of a bucket, by its URL; can be sent to other processes, which open it anew."""

    url: str

    @classmethod
    def parse(cls, text: str) -> "Place":
        """A place by a URL (`s3://bucket/prefix`, `file:///folder`) or by the path of a folder.

        Raises `ValueError`, with a text for the user.
        """
        scheme = urlsplit(text).scheme
        if scheme in ("s3", "gs", "az", "file"):
            return cls(text.rstrip("/"))
        if scheme and "://" in text:
            raise ValueError(f"{scheme}:// is no place that can be read here: take s3:// or file://.")
        return cls(Path(text).resolve().as_uri())

    def open(self, *, is_new: bool = False) -> Any:
        """The store; a folder is made where ``is_new``. Raises `ValueError`, with a text for the user.

        What is not in the URL (region, endpoint, credentials) comes from the environment, as AWS names it.
        """
        parts = urlsplit(self.url)
        try:
            if parts.scheme == "file":
                return LocalStore(parts.path, mkdir=is_new)
            endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
            own = {"endpoint": endpoint} if parts.scheme == "s3" and endpoint else {}
            return from_url(self.url, client_options={"allow_http": endpoint.startswith("http://")}, **own)
        except Exception as error:
            raise ValueError(f"{self.url} cannot be opened: {type(error).__name__}.") from error

    def holds(self, other: "Place") -> bool:
        """Whether another place is this one or lies below it."""
        return other.url == self.url or other.url.startswith(f"{self.url}/")


@dataclass(frozen=True)
class Entry:
    """A file of a place: its key, and what tells whether it has changed."""

    key: str
    version: str


def list_documents(store: Any) -> Iterator[Entry]:
    """The documents of a store as they are listed, a thousand at a time; never all of them in memory."""
    for batch in obstore.list(store, chunk_size=_KEYS_A_LIST):
        for item in batch:
            path = PurePosixPath(item["path"])
            is_hidden = any(part.startswith(".") or part == OWN_FOLDER for part in path.parts)
            if path.suffix.lower() in DOCUMENT_SUFFIXES and not is_hidden:
                tag = item.get("e_tag") or item["last_modified"].isoformat()
                yield Entry(item["path"], f"{item['size']}-{tag}")

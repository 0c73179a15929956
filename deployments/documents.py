"""Deployment that keeps the documents that were read, for all replicas of the cluster."""

import logging
import os
from pathlib import Path

from ray import serve

from configs.settings import DocumentsStage
from deployments.allocator import return_large_blocks
from deployments.document_shelf import DocumentShelf, ShelfUsage
from deployments.metrics import make_recorder, show_memory
from deployments.recycling import Recycler
from deployments.replica_logs import start_observing

logger = logging.getLogger(__name__)


@serve.deployment
class Documents:
    """Adds to `DocumentShelf`: a replica, metrics and health. One replica: what it keeps, all must see."""

    def __init__(self, stage: DocumentsStage) -> None:
        return_large_blocks()
        context = serve.get_replica_context()
        start_observing(context.deployment, context.replica_id.unique_id)
        folder = os.environ.get("DOCUMENTS_DIR")
        self._shelf = DocumentShelf(
            stage.memory_mib, stage.disk_mib, stage.ttl_s, Path(folder) if folder else None
        )
        self._recorder = make_recorder()
        self._shown = ShelfUsage()
        self._recycler = Recycler("documents", stage.memory, context.rank.rank)

    async def put(self, owner: str, content: str, data: bytes) -> str | None:
        """Keep a document; its id, or None when it is too large to be kept."""
        return self._shelf.put(owner, content, data)

    async def find(self, owner: str, content: str) -> tuple[str, bytes] | None:
        """The id and the bytes of a document, by what it is."""
        return self._shelf.find(owner, content)

    async def get(self, owner: str, document_id: str) -> bytes | None:
        """The bytes of a document, by its id."""
        return self._shelf.get(owner, document_id)

    async def describe(self) -> ShelfUsage:
        """What this shelf has done and holds."""
        return self._shelf.describe()

    async def check_health(self) -> None:
        """Raise when the replica is too large, so that Serve replaces it; show the metrics."""
        show_memory(self._recorder, "documents")
        now = self._shelf.describe()
        for result in ("hits", "misses", "evictions"):
            growth = getattr(now, result) - getattr(self._shown, result)
            self._recorder.add("ocr_documents_lookups", growth, result=result)
        self._recorder.set("ocr_documents_bytes", now.memory_bytes, tier="memory")
        self._recorder.set("ocr_documents_bytes", now.disk_bytes, tier="disk")
        self._shown = now
        self._recycler.check()

    def __del__(self) -> None:
        self._shelf.close()

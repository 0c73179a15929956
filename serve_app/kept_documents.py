"""Documents that were read, kept by a deployment of their own (`deployments.documents`) for further requests.

Keeping is a convenience: where it fails, a document is read again, and nobody has an error of it.
"""

import asyncio
import logging
from dataclasses import replace
from typing import Any

from deployments.document import Document, ReadOptions, StageInfo
from deployments.document_codec import decode_document, encode_document
from deployments.document_shelf import hash_content
from deployments.errors import ServiceError
from deployments.handles import Handle, call_stage

logger = logging.getLogger(__name__)

_TIMEOUT_S = 5.0


class KeptDocuments:
    """Keeps documents of owners apart. Without a ``handle`` nothing is kept, and nothing found."""

    def __init__(self, handle: Handle | None) -> None:
        self._handle = handle

    async def keep(self, owner: str, data: bytes, document: Document) -> str | None:
        """The id under which the owner finds the document, or None when it cannot be kept.

        A document with pages that failed is not kept: the next reading may succeed.
        """
        if self._handle is None or any(page.error is not None for page in document.pages):
            return None

        def encode() -> tuple[str, bytes]:
            content = _name_content(data, document.options, document.models)
            return content, encode_document(replace(document, models=_without_usage(document.models)))

        content, encoded = await asyncio.to_thread(encode)
        document_id: str | None = await self._call("put", owner, content, encoded)
        return document_id

    async def find(
        self, owner: str, data: bytes, options: ReadOptions, models: tuple[StageInfo, ...]
    ) -> tuple[str, Document] | None:
        """What the owner has had read of these bytes, with these options in force and these models."""
        if self._handle is None:
            return None
        content = await asyncio.to_thread(_name_content, data, options, models)
        found = await self._call("find", owner, content)
        if found is None:
            return None
        document = await _decode(found[1])
        return None if document is None else (found[0], document)

    async def open(self, owner: str, document_id: str) -> Document | None:
        """The owner's document, or None when it is not kept, or not any more."""
        data = None if self._handle is None else await self._call("get", owner, document_id)
        return None if data is None else await _decode(data)

    async def _call(self, method: str, *arguments: object) -> Any:
        assert self._handle is not None
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return await call_stage(self._handle, method, *arguments)
        except (ServiceError, TimeoutError) as error:
            logger.warning("kept documents cannot be reached: %s", type(error).__name__)
            return None


async def _decode(data: bytes) -> Document | None:
    try:
        return await asyncio.to_thread(decode_document, data)
    except ValueError:
        # Written by another version of the service.
        return None


def _without_usage(models: tuple[StageInfo, ...]) -> tuple[StageInfo, ...]:
    return tuple(replace(model, usage={}, knobs={}) for model in models)


def _name_content(data: bytes, options: ReadOptions, models: tuple[StageInfo, ...]) -> str:
    # Precision and engine change the text in rare cases, so a result of another one is another result.
    versions = [(one.stage, one.model, one.sha256, one.engine, one.precision) for one in models]
    return hash_content(data, options, sorted(versions))

"""Typed client for Python programs on the same Ray cluster: no HTTP, no key, the same options and result.

client = OcrClient.from_app("ocr")
result = await client.read(data)             # inside a deployment
result = client.read_sync(data, words=True)  # in a script
"""

import uuid
from typing import Any

from ray import serve

from deployments.handles import Handle, call_stage, unwrap_stage_errors
from serve_app.schemas import (
    ExtractionOptions,
    ExtractionResult,
    OcrOptions,
    OcrResult,
    StructureOptions,
    StructureResult,
)


class OcrClient:
    """Reads documents through the ingress deployment of a running application."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    @classmethod
    def from_app(cls, app_name: str = "ocr") -> "OcrClient":
        """A client of the application named ``app_name``; make it once, it keeps its connections."""
        return cls(serve.get_app_handle(app_name))

    async def read(
        self, data: bytes, options: OcrOptions | None = None, *, request_id: str | None = None, **fields: Any
    ) -> OcrResult:
        """The text of a document (an image or a PDF as bytes).

        Options come as one `OcrOptions` or as its fields. Raises `deployments.errors.ServiceError`.
        """
        result: OcrResult = await call_stage(
            self._handle, "read", data, _options(options, fields), _id(request_id)
        )
        return result

    async def read_structure(
        self,
        data: bytes,
        options: StructureOptions | None = None,
        *,
        request_id: str | None = None,
        **fields: Any,
    ) -> StructureResult:
        """As `read`, with the document's blocks and tables."""
        result: StructureResult = await call_stage(
            self._handle, "read_structure", data, _structure_options(options, fields), _id(request_id)
        )
        return result

    async def extract(
        self,
        data: bytes | None = None,
        options: ExtractionOptions | None = None,
        *,
        request_id: str | None = None,
        **fields: Any,
    ) -> ExtractionResult:
        """The fields of a document, given as bytes or, by the option ``document_id``, read before.

        Options come as one `ExtractionOptions` or as its fields. Raises `deployments.errors.ServiceError`.
        """
        result: ExtractionResult = await call_stage(
            self._handle, "extract", data, _extraction_options(options, fields), _id(request_id)
        )
        return result

    def extract_sync(
        self,
        data: bytes | None = None,
        options: ExtractionOptions | None = None,
        *,
        request_id: str | None = None,
        **fields: Any,
    ) -> ExtractionResult:
        """As `extract`, for callers without an event loop."""
        with unwrap_stage_errors("Ingress", "extract"):
            result: ExtractionResult = self._handle.extract.remote(
                data, _extraction_options(options, fields), _id(request_id)
            ).result()
        return result

    def read_sync(
        self, data: bytes, options: OcrOptions | None = None, *, request_id: str | None = None, **fields: Any
    ) -> OcrResult:
        """As `read`, for callers without an event loop."""
        with unwrap_stage_errors("Ingress", "read"):
            result: OcrResult = self._handle.read.remote(
                data, _options(options, fields), _id(request_id)
            ).result()
        return result

    def read_structure_sync(
        self,
        data: bytes,
        options: StructureOptions | None = None,
        *,
        request_id: str | None = None,
        **fields: Any,
    ) -> StructureResult:
        """As `read_structure`, for callers without an event loop."""
        with unwrap_stage_errors("Ingress", "read_structure"):
            result: StructureResult = self._handle.read_structure.remote(
                data, _structure_options(options, fields), _id(request_id)
            ).result()
        return result


def _extraction_options(options: ExtractionOptions | None, fields: dict[str, Any]) -> ExtractionOptions:
    return options if options is not None and not fields else ExtractionOptions.model_validate(fields)


def _structure_options(options: StructureOptions | None, fields: dict[str, Any]) -> StructureOptions:
    return options if options is not None and not fields else StructureOptions.model_validate(fields)


def _options(options: OcrOptions | None, fields: dict[str, Any]) -> OcrOptions:
    return options if options is not None and not fields else OcrOptions.model_validate(fields)


def _id(request_id: str | None) -> str:
    return request_id or uuid.uuid4().hex

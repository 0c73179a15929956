"""The answer to a request for fields."""

from typing import Any

from pydantic import BaseModel, Field

from deployments.document import Document, Page
from deployments.extraction.fields import ExtractedFields, FieldSource, FieldValue
from serve_app.extraction_options import ExtractionOptions
from serve_app.results import OcrModel, PageProblem, round_quad

_QUAD_EXAMPLE = [[10.0, 20.0], [210.0, 20.0], [210.0, 44.0], [10.0, 44.0]]


class ExtractedValue(BaseModel):
    """One value, and what it was read from."""

    value: Any = Field(
        description="The value in its normal form: dates as ISO 8601, times as HH:MM, prices as numbers, "
        "phone numbers as E.164; null where the document does not state it.",
        examples=["2026-11-03"],
    )
    text: str | None = Field(description="What the page says.", examples=["2026년 11월 3일"])
    confidence: float = Field(description="How likely the value is right, 0 to 1.", examples=[0.97])
    quads: list[list[list[float]]] = Field(
        description="Where the text stands: a quad for each line, clockwise from its top left, in pixels of "
        "the upright page.",
        examples=[[_QUAD_EXAMPLE]],
    )
    line_ids: list[int] = Field(
        description="Places, from 0, of the lines in `pages[].lines` of /ocr.", examples=[[7]]
    )
    page: int | None = Field(description="Number of the page.", examples=[1])
    source: FieldSource = Field(
        description="How it was found: beside its `label`, by its `pattern` or `position`, in a `table`, "
        "`computed` from others, by a language model (`llm`), by PP-ChatOCRv4 (`pp_chatocr`), or `none`.",
        examples=["label"],
    )
    ungrounded: bool = Field(
        description="A language model gave the value, and no line states it: do not trust it.",
        examples=[False],
    )
    items: list[dict[str, "ExtractedValue"]] | None = Field(
        None, description="The rows of a field that repeats.", examples=[[]]
    )

    @classmethod
    def from_field(cls, field: FieldValue) -> "ExtractedValue":
        """Put a value into the answer's form."""
        rows = [{name: cls.from_field(one) for name, one in row.items()} for row in field.items]
        return cls(
            value=field.value,
            text=field.text,
            confidence=round(field.confidence, 4),
            quads=[round_quad(quad) for quad in field.quads],
            line_ids=list(field.line_ids),
            page=field.page,
            source=field.source,
            ungrounded=field.ungrounded,
            items=rows or None,
        )


class ExtractionPage(BaseModel):
    """A page that was looked at."""

    number: int = Field(description="Number of the page, from 1.", examples=[1])
    width: int = Field(description="Width of the upright page in pixels.", examples=[1240])
    height: int = Field(description="Height of the upright page in pixels.", examples=[1754])
    rotation: int = Field(description="Degrees clockwise that made it upright.", examples=[0])
    error: PageProblem | None = Field(
        None,
        description="Not null when the page could not be read.",
        examples=[{"code": "stage_failed", "message": "Stage failed", "status": 500}],
    )

    @classmethod
    def from_page(cls, page: Page) -> "ExtractionPage":
        """Put a page into the answer's form."""
        return cls(
            number=page.number,
            width=page.width,
            height=page.height,
            rotation=page.rotation,
            error=None if page.error is None else PageProblem.from_error(page.error),
        )


class ExtractionResult(BaseModel):
    """The fields of a document."""

    request_id: str = Field(
        description="The request's id, as in `X-Request-Id`.", examples=["6f1c0f5f0a0e4b0c9a4e7d1f2b3c4d5e"]
    )
    document_id: str | None = Field(
        None,
        description="The document's id for further requests, while it is kept.",
        examples=["doc_0f8fad5bd9cb469fa16570867728950e"],
    )
    document_type: str = Field(description="The type that was asked for, or found.", examples=["receipt"])
    fields: dict[str, ExtractedValue] = Field(
        description="The fields of the type, or of the schema, by name.", examples=[{}]
    )
    answers: dict[str, ExtractedValue] = Field(description="Answers by question.", examples=[{}])
    warnings: list[str] = Field(
        description="Stable codes of what did not go as asked, listed in docs/api.md.",
        examples=[["llm_timeout"]],
    )
    pages_total: int = Field(description="Pages that the document has.", examples=[1])
    pages_processed: int = Field(description="Pages that were read without an error.", examples=[1])
    pages: list[ExtractionPage] = Field(description="The pages that were read.", examples=[[]])
    models: list[OcrModel] = Field(description="The models that read the document.", examples=[[]])
    options: ExtractionOptions = Field(description="The options in force.", examples=[{}])
    timings_ms: dict[str, float] = Field(
        description="Milliseconds: `total` is the wall time, `extraction` that of finding the fields; the "
        "stages of reading are left out when the document was read before.",
        examples=[{"total": 251.7, "extraction": 12.9}],
    )

    @classmethod
    def from_fields(
        cls,
        found: ExtractedFields,
        document: Document,
        options: ExtractionOptions,
        request_id: str,
        document_id: str | None,
        timings_ms: dict[str, float],
    ) -> "ExtractionResult":
        """Build the answer."""
        return cls(
            request_id=request_id,
            document_id=document_id,
            document_type=found.document_type,
            fields={name: ExtractedValue.from_field(one) for name, one in found.fields.items()},
            answers={name: ExtractedValue.from_field(one) for name, one in found.answers.items()},
            warnings=list(found.warnings),
            pages_total=document.pages_total,
            pages_processed=document.pages_processed,
            pages=[ExtractionPage.from_page(page) for page in document.pages],
            models=[OcrModel.from_stage(stage) for stage in document.models],
            options=options.filled_from(document.options),
            timings_ms=timings_ms,
        )

    def to_json(self) -> bytes:
        """Write the body of an HTTP answer: compact JSON in UTF-8; a value that is not there is null."""
        return self.model_dump_json(by_alias=True).encode()

"""The text of a document as the service answers it, the same over HTTP and over a Python handle."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, Field

from deployments.document import Document, Line, Page, PageError, Quad, StageInfo, Word
from serve_app.error_codes import ERROR_CODES
from serve_app.options import OcrOptions

_QUAD_EXAMPLE = [[12.0, 8.5], [301.25, 8.5], [301.25, 40.0], [12.0, 40.0]]
_REQUEST_ID_EXAMPLE = "6f1c0f5f0a0e4b0c9a4e7d1f2b3c4d5e"
_Point = Annotated[list[float], Field(min_length=2, max_length=2)]
_Quad = Annotated[list[_Point], Field(min_length=4, max_length=4)]


class OcrWord(BaseModel):
    """A word of a line."""

    text: str = Field(description="The word.", examples=["Invoice"])
    confidence: float = Field(description="Mean confidence of its characters, 0 to 1.", examples=[0.9931])
    quad: _Quad = Field(
        description="Corners in pixels of the upright page, clockwise from the text's own top left.",
        examples=[_QUAD_EXAMPLE],
    )

    @classmethod
    def from_word(cls, word: Word | Line) -> "OcrWord":
        """Put a word into the answer's form."""
        return cls(text=word.text, confidence=round(float(word.confidence), 4), quad=round_quad(word.quad))


class OcrLine(OcrWord):
    """A line of text where it stands on the page."""

    text: str = Field(description="The line.", examples=["Invoice No. 42"])
    words: list[OcrWord] | None = Field(
        None,
        description="The line's words; present when `words` was asked for.",
        examples=[[{"text": "Invoice", "confidence": 0.9931, "quad": _QUAD_EXAMPLE}]],
    )

    source: Literal["layer"] | None = Field(
        None,
        description="`layer` for text that the PDF states (see `text_layer`); absent for what was read.",
        examples=["layer"],
    )

    @classmethod
    def from_line(cls, line: Line) -> "OcrLine":
        """Put a line into the answer's form."""
        words = None if line.words is None else [OcrWord.from_word(word) for word in line.words]
        return cls(
            text=line.text,
            confidence=round(float(line.confidence), 4),
            quad=round_quad(line.quad),
            words=words,
            source="layer" if line.from_layer else None,
        )


class PageProblem(BaseModel):
    """Why a page has no text."""

    code: str = Field(description="Stable code, listed in docs/api.md.", examples=["malformed_pdf"])
    message: str = Field(
        description="What happened, for a reader.", examples=["Page 2 of the PDF cannot be rendered."]
    )
    status: int | None = Field(
        None,
        description="The HTTP status that this error has when it concerns a whole request.",
        examples=[400],
    )

    @classmethod
    def from_error(cls, error: PageError) -> "PageProblem":
        """Put a page's error into the answer's form."""
        kind = ERROR_CODES.get(error.code)
        return cls(code=error.code, message=error.message, status=kind.status if kind else None)


class OcrPage(BaseModel):
    """One page with its lines in reading order, or with the error that stopped it."""

    number: int = Field(description="Number of the page in the document, from 1.", examples=[1])
    width: int = Field(
        description="Width of the upright page in pixels; 0 for a failed page.", examples=[1654]
    )
    height: int = Field(
        description="Height of the upright page in pixels; 0 for a failed page.", examples=[2339]
    )
    rotation: Literal[0, 90, 180, 270] = Field(
        description="Degrees clockwise by which the page was turned to stand upright.", examples=[0]
    )
    text: str = Field(description="The lines, one below the other.", examples=["Invoice No. 42"])
    lines: list[OcrLine] = Field(
        description="The lines in reading order.",
        examples=[[{"text": "Invoice No. 42", "confidence": 0.9876, "quad": _QUAD_EXAMPLE}]],
    )
    error: PageProblem | None = Field(
        None,
        description="Present when the page could not be read.",
        examples=[{"code": "stage_failed", "message": "Stage failed", "status": 500}],
    )
    timings_ms: dict[str, float] = Field(
        description="Wall time of each stage for this page in milliseconds, waiting included.",
        examples=[{"detection": 81.2, "recognition": 143.9}],
    )

    @classmethod
    def from_page(cls, page: Page) -> "OcrPage":
        """Put a page into the answer's form."""
        return cls(
            number=page.number,
            width=page.width,
            height=page.height,
            rotation=page.rotation,
            text=page.text,
            lines=[OcrLine.from_line(line) for line in page.lines],
            error=None if page.error is None else PageProblem.from_error(page.error),
            timings_ms=page.stage_ms,
        )


class OcrModel(BaseModel):
    """A model that took part, so that a result can be reproduced."""

    stage: str = Field(description="The stage that runs it.", examples=["detection"])
    model: str = Field(description="Name of the model.", examples=["PP-OCRv6_small_det"])
    version: str = Field(description="Version of the model.", examples=["PP-OCRv6"])
    sha256: str = Field(description="Hash of its weights.", examples=["4d97c44a" * 8])
    engine: str = Field(description="What runs the network.", examples=["openvino"])
    engine_version: str = Field(description="Version of the engine.", examples=["2025.3.0"])
    device: str = Field(description="Where it runs.", examples=["CPU"])
    precision: str = Field(description="Number format of the computation.", examples=["f32"])

    @classmethod
    def from_stage(cls, stage: StageInfo) -> "OcrModel":
        """Put what a stage says of itself into the answer's form."""
        return cls(**{name: getattr(stage, name) for name in cls.model_fields})


class OcrResult(BaseModel):
    """The text of a document, and all that is needed to get the same text again."""

    request_id: str = Field(
        description="The request's id, as in `X-Request-Id`.", examples=[_REQUEST_ID_EXAMPLE]
    )
    document_id: str | None = Field(
        None,
        description="The document's id for `/extraction`, while it is kept; absent where it is not.",
        examples=["doc_0f8fad5bd9cb469fa16570867728950e"],
    )
    pages_total: int = Field(description="Pages that the document has.", examples=[12])
    pages_processed: int = Field(description="Pages that were read without an error.", examples=[3])
    text: str = Field(
        description="Text of all pages, an empty line between two pages.", examples=["Invoice No. 42"]
    )
    pages: list[OcrPage] = Field(description="The pages that were asked for, in order.", examples=[[]])
    models: list[OcrModel] = Field(description="The models that took part.", examples=[[]])
    options: OcrOptions = Field(
        description="The options in force; one that is left out has the value of the server's profile.",
        examples=[
            {"orientation": True, "direction": "auto", "words": False, "dpi": 200, "rec_score_thresh": 0.0}
        ],
    )
    timings_ms: dict[str, float] = Field(
        description="Milliseconds: `total` is the wall time, a stage's is the sum over its pages.",
        examples=[{"total": 251.7, "detection": 81.2, "recognition": 143.9}],
    )

    @classmethod
    def from_document(
        cls,
        document: Document,
        options: OcrOptions,
        request_id: str,
        total_ms: float | None = None,
        document_id: str | None = None,
    ) -> "OcrResult":
        """Build the answer for a document; ``total_ms`` replaces the document's own total where given."""
        return cls(
            **cls.describe_document(document, request_id, total_ms),
            pages=[OcrPage.from_page(page) for page in document.pages],
            options=options.filled_from(document.options),
            document_id=document_id,
        )

    @staticmethod
    def describe_document(document: Document, request_id: str, total_ms: float | None) -> dict[str, Any]:
        """The fields that a document has however it was read."""
        total = {} if total_ms is None else {"total": round(total_ms, 2)}
        return {
            "request_id": request_id,
            "pages_total": document.pages_total,
            "pages_processed": document.pages_processed,
            "text": document.text,
            "models": [OcrModel.from_stage(stage) for stage in document.models],
            "timings_ms": {**document.stage_ms, **total},
        }

    def to_json(self) -> bytes:
        """Write the body of an HTTP answer: compact JSON in UTF-8, without the fields that have no value."""
        return self.model_dump_json(exclude_none=True).encode()


def round_quad(quad: Quad) -> list[list[float]]:
    """A quad as an answer has it: pixels with two decimals."""
    # In float64: a float32 rounded to two decimals prints as 0.10000000149011612.
    rounded: list[list[float]] = np.round(quad.astype(np.float64), 2).tolist()
    return rounded

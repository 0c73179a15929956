"""What a stream of pages says before the first and after the last of them."""

from collections.abc import Sequence

from pydantic import BaseModel, Field, SerializeAsAny

from deployments.document import Page, ReadOptions, StageInfo
from serve_app.options import OcrOptions, format_pages
from serve_app.results import OcrModel


class StreamStart(BaseModel):
    """The document that is going to be read."""

    request_id: str = Field(description="The request's id, as in `X-Request-Id`.", examples=["6f1c0f5f"])
    pages_total: int = Field(description="Pages that the document has.", examples=[12])
    pages: str = Field(description="The pages that follow, in order; empty for none.", examples=["1-3,7"])
    models: list[OcrModel] = Field(description="The models that take part.", examples=[[]])
    options: SerializeAsAny[OcrOptions] = Field(
        description="The options in force.", examples=[{"orientation": True, "dpi": 200}]
    )

    @classmethod
    def from_reading(
        cls,
        request_id: str,
        pages_total: int,
        numbers: Sequence[int],
        models: Sequence[StageInfo],
        options: OcrOptions,
        in_force: ReadOptions,
    ) -> "StreamStart":
        """Put what is known before the first page into the answer's form."""
        return cls(
            request_id=request_id,
            pages_total=pages_total,
            pages=format_pages(numbers),
            models=[OcrModel.from_stage(stage) for stage in models],
            options=options.filled_from(in_force),
        )


class StreamEnd(BaseModel):
    """What became of the pages of this stream."""

    pages_processed: int = Field(description="Pages that were read without an error.", examples=[3])
    pages_failed: list[int] = Field(description="Numbers of the others.", examples=[[7]])
    timings_ms: dict[str, float] = Field(
        description="Milliseconds: `total` is the wall time, a stage's is the sum over its pages.",
        examples=[{"total": 251.7, "detection": 81.2}],
    )

    @classmethod
    def from_pages(cls, pages: Sequence[Page], timings_ms: dict[str, float]) -> "StreamEnd":
        """Count the pages that were sent."""
        failed = [page.number for page in pages if page.error is not None]
        return cls(pages_processed=len(pages) - len(failed), pages_failed=failed, timings_ms=timings_ms)

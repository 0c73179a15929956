"""All that callers send and get: one typed contract for HTTP, the Python handle and the command line."""

from typing import Literal

from pydantic import BaseModel, Field

from serve_app.extraction_options import ExtractionOptions
from serve_app.extraction_results import ExtractedValue, ExtractionPage, ExtractionResult
from serve_app.options import OcrOptions, StructureOptions
from serve_app.results import OcrLine, OcrModel, OcrPage, OcrResult, OcrWord, PageProblem
from serve_app.structure_results import (
    StructureBlock,
    StructureCell,
    StructurePage,
    StructurePicture,
    StructureResult,
    StructureTable,
)

__all__ = [
    "ExtractedValue",
    "ExtractionOptions",
    "ExtractionPage",
    "ExtractionResult",
    "FieldProblem",
    "Health",
    "OcrLine",
    "OcrModel",
    "OcrOptions",
    "OcrPage",
    "OcrResult",
    "OcrWord",
    "PageProblem",
    "Problem",
    "StageHealth",
    "StructureBlock",
    "StructureCell",
    "StructureOptions",
    "StructurePage",
    "StructurePicture",
    "StructureResult",
    "StructureTable",
    "VersionInfo",
]


class FieldProblem(BaseModel):
    """What is wrong with one option."""

    field: str = Field(description="Name of the option.", examples=["dpi"])
    message: str = Field(
        description="What is wrong with it.", examples=["Input should be less than or equal to 600"]
    )


class Problem(BaseModel):
    """An error, as RFC 9457 wants it, with a stable code and the request's id."""

    type: str = Field(
        description="The kind of problem, one for each code.", examples=["urn:ocr-serve:invalid_option"]
    )
    title: str = Field(description="The kind of problem, for a reader.", examples=["Invalid option"])
    status: int = Field(description="The HTTP status of this answer.", examples=[422])
    detail: str = Field(description="What happened to this request.", examples=["1 option is not valid."])
    instance: str = Field(description="The path that was asked for.", examples=["/v1/ocr"])
    code: str = Field(description="Stable code, listed in docs/api.md.", examples=["invalid_option"])
    request_id: str = Field(
        description="The request's id, as in `X-Request-Id`.", examples=["6f1c0f5f0a0e4b0c9a4e7d1f2b3c4d5e"]
    )
    errors: list[FieldProblem] | None = Field(
        None,
        description="The options that are wrong; only with the code `invalid_option`.",
        examples=[[{"field": "dpi", "message": "Input should be less than or equal to 600"}]],
    )


class VersionInfo(BaseModel):
    """What runs here. A part that is not installed is null."""

    service: str = Field(description="Version of this service.", examples=["0.1.0"])
    paddleocr: str | None = Field(description="Version of PaddleOCR.", examples=["3.7.0"])
    paddlex: str | None = Field(description="Version of PaddleX.", examples=["3.7.2"])
    paddle: str | None = Field(description="Version of PaddlePaddle, for CPU or GPU.", examples=["3.2.2"])
    ray: str | None = Field(description="Version of Ray.", examples=["2.60.0"])
    python: str = Field(description="Version of Python.", examples=["3.11.7"])
    compiled_with_cuda: bool = Field(
        description="Whether PaddlePaddle or a stage can use CUDA.", examples=[False]
    )
    cuda: str | None = Field(description="Version of the installed CUDA runtime.", examples=["12.6.77"])


class StageHealth(BaseModel):
    """A stage that has loaded its model."""

    model: str = Field(description="Name of the model.", examples=["PP-OCRv6_small_det"])
    version: str = Field(description="Version of the model.", examples=["PP-OCRv6"])
    engine: str = Field(description="What runs the network.", examples=["openvino"])
    engine_version: str = Field(description="Version of the engine.", examples=["2025.3.0"])
    device: str = Field(description="Where it runs.", examples=["CPU"])
    precision: str = Field(description="Number format of the computation.", examples=["f32"])
    languages: list[str] = Field(
        description="Languages that it reads; empty where that means nothing.", examples=[["en"]]
    )
    knobs: dict[str, float] = Field(description="Batch knobs in force.", examples=[{"max_batch_size": 4}])
    ready: bool = Field(description="Always true: a stage that is not ready is not listed.", examples=[True])


class Health(BaseModel):
    """Whether documents can be read now, and what would read them."""

    status: Literal["ok", "starting"] = Field(
        description="`starting` until every stage answers.", examples=["ok"]
    )
    ready: bool = Field(description="Whether every stage answers.", examples=[True])
    version: VersionInfo = Field(
        description="What runs here.",
        examples=[{"service": "0.1.0", "paddleocr": "3.7.0", "paddle": None, "compiled_with_cuda": False}],
    )
    stages: dict[str, StageHealth] = Field(
        description="Those that always run; a recogniser beside the first one has its model in its name.",
        examples=[{"detection": {"model": "PP-OCRv6_small_det", "ready": True}}],
    )
    on_demand: list[str] = Field(
        description="Stages that end when nobody asks, and start with the next request that needs them.",
        examples=[["layout", "table"]],
    )
    languages: list[str] = Field(description="Languages that can be asked for.", examples=[["ch", "en"]])

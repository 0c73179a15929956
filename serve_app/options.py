"""What a caller may choose for one document: one schema for HTTP, the Python handle and the command line."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from deployments.document import DirectionMode, LimitType, ReadOptions, TextLayerMode

MAX_PAGE_NUMBERS = 10_000

# PaddleOCR's names (arguments of its pipelines `PaddleOCR` and `PPStructureV3`) for the same things.
OPTION_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "use_doc_orientation_classify": "orientation",
        "use_textline_orientation": "direction",
        "return_word_box": "words",
        "text_det_thresh": "det_thresh",
        "text_det_box_thresh": "det_box_thresh",
        "text_det_unclip_ratio": "det_unclip_ratio",
        "text_det_limit_side_len": "det_limit_side_len",
        "text_det_limit_type": "det_limit_type",
        "text_rec_score_thresh": "rec_score_thresh",
        "use_table_recognition": "tables",
        "use_formula_recognition": "formulas",
        "use_seal_recognition": "seals",
        "use_doc_unwarping": "unwarp",
    }
)

_PAGE_RANGE = re.compile(r"\s*([0-9]{1,9})\s*(?:-\s*([0-9]{1,9})\s*)?")
_DIRECTION_WORDS: Mapping[str, str] = {
    "true": "on",
    "1": "on",
    "yes": "on",
    "false": "off",
    "0": "off",
    "no": "off",
}

# The pages are parsed first, and the time limit is kept before the stages.
_NOT_FOR_STAGES = {"pages", "timeout_s", "format"}

ResultFormat = Literal["json", "markdown", "html", "text", "csv", "hocr", "xlsx", "pdf", "alto", "overlay"]


class OcrOptions(BaseModel):
    """How to read one document. All options may be left out; PaddleOCR's own names are accepted too.

    Raises `pydantic.ValidationError` for an unknown option or a value outside its range.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    # How long an option may be, in a form, and which of them may be there more than once.
    MAX_FIELD_BYTES: ClassVar[int] = 8 * 1024
    REPEATED: ClassVar[frozenset[str]] = frozenset()

    lang: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{1,32}$",
        description="Language of the text, one of `languages` in the answer of /health.",
        examples=["en"],
    )
    orientation: bool = Field(
        True,
        description="Find out which way is up and turn the page. PaddleOCR: `use_doc_orientation_classify`.",
        examples=[True],
    )
    direction: DirectionMode = Field(
        "auto",
        description="Whether lines may stand on their head: `auto` asks only where a crop leaves doubt, `on` "
        "for every line, `off` for none. PaddleOCR: `use_textline_orientation` (true is on, false is off).",
        examples=["auto"],
    )
    words: bool = Field(
        False,
        description="Return the words of each line with their places. PaddleOCR: `return_word_box`.",
        examples=[True],
    )
    pages: str | None = Field(
        None,
        description="Pages to read, counted from 1, as numbers and closed ranges; all pages when left out. "
        "Returned sorted and without repetition.",
        examples=["1-3,7"],
    )
    dpi: int = Field(
        200, ge=36, le=600, description="Dots an inch at which PDF pages are drawn.", examples=[200]
    )
    text_layer: TextLayerMode = Field(
        "auto",
        description="What to do with the text that a PDF page states itself: `auto` takes it where a sample "
        "of lines agrees with the pixels, `prefer` without asking, `ignore` reads all from pixels.",
        examples=["auto"],
    )
    det_thresh: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        allow_inf_nan=False,
        description="Probability from which a pixel counts as text. PaddleOCR: `text_det_thresh`.",
        examples=[0.3],
    )
    det_box_thresh: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        allow_inf_nan=False,
        description="Mean probability from which a box counts as text. PaddleOCR: `text_det_box_thresh`.",
        examples=[0.6],
    )
    det_unclip_ratio: float | None = Field(
        None,
        ge=0.5,
        le=5.0,
        allow_inf_nan=False,
        description="How far a box grows around what was detected. PaddleOCR: `text_det_unclip_ratio`.",
        examples=[1.5],
    )
    det_limit_side_len: int | None = Field(
        None,
        ge=32,
        le=4000,
        description="Pixels to which a side of the page is resized for detection. "
        "PaddleOCR: `text_det_limit_side_len`.",
        examples=[1600],
    )
    det_limit_type: LimitType | None = Field(
        None,
        description="Which side that is: `max` bounds the longer one from above, `min` the shorter one "
        "from below. PaddleOCR: `text_det_limit_type`.",
        examples=["max"],
    )
    rec_score_thresh: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        allow_inf_nan=False,
        description="Confidence below which a line is left out. PaddleOCR: `text_rec_score_thresh`.",
        examples=[0.5],
    )
    timeout_s: float | None = Field(
        None,
        gt=0.0,
        le=86_400.0,
        allow_inf_nan=False,
        description="Seconds after which the answer is worth nothing to the caller; the service's own limit "
        "holds besides.",
        examples=[30.0],
    )

    def names_document(self) -> bool:
        """Whether the document is named by its id, and does not come along."""
        return False

    def to_read_options(self) -> ReadOptions:
        """Put the choice into the vocabulary of the stages."""
        pages = None if self.pages is None else parse_pages(self.pages)
        return ReadOptions(**self.model_dump(exclude=_NOT_FOR_STAGES), pages=pages)

    def filled_from(self, in_force: ReadOptions) -> Self:
        """Fill in what was left open with what was in force."""
        left_open = [
            name for name, value in self.model_dump(exclude=_NOT_FOR_STAGES).items() if value is None
        ]
        return self.model_copy(update={name: getattr(in_force, name) for name in left_open})

    @model_validator(mode="before")
    @classmethod
    def _rename_aliases(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        renamed: dict[str, Any] = {}
        for name, value in values.items():
            own_name = OPTION_ALIASES.get(name, name)
            if own_name in renamed:
                raise PydanticCustomError("repeated_option", "{name} is given twice", {"name": own_name})
            renamed[own_name] = value
        # PaddleOCR's clients send null for "as the server likes".
        return {
            name: value
            for name, value in renamed.items()
            if value is not None or name not in cls.model_fields
        }

    @field_validator("direction", mode="before")
    @classmethod
    def _accept_bool(cls, value: Any) -> Any:
        return _DIRECTION_WORDS.get(str(value).lower(), value)

    @field_validator("pages", mode="before")
    @classmethod
    def _normalise_pages(cls, value: Any) -> Any:
        text = ",".join(map(str, value)) if isinstance(value, list | tuple | range) else str(value)
        return format_pages(parse_pages(text))


class StructureOptions(OcrOptions):
    """How to read the structure of one document: all that `OcrOptions` has, and what to look for."""

    tables: bool = Field(
        True,
        description="Find the cells of tables. PP-StructureV3: `use_table_recognition`.",
        examples=[True],
    )
    figures: bool = Field(
        False,
        description="Return figures, formulas and seals as pictures, in JSON, Markdown and HTML.",
        examples=[True],
    )
    formulas: bool = Field(
        False,
        description="Read formulas as LaTeX; refused where no stage does that. PP-StructureV3: "
        "`use_formula_recognition`.",
        examples=[False],
    )
    seals: bool = Field(
        False,
        description="Read the text of seals; refused where no stage does that. PP-StructureV3: "
        "`use_seal_recognition`.",
        examples=[False],
    )
    unwarp: bool = Field(
        False,
        description="Make photographed pages flat, before anything is read; boxes are those of the flat "
        "page, and a PDF's own text is not used. Refused where no stage does that, and with the formats "
        "`pdf` and `overlay`. PP-StructureV3: `use_doc_unwarping`.",
        examples=[False],
    )
    format: ResultFormat | None = Field(
        None,
        description="Form of the answer, before what the header `Accept` says; `csv` and `xlsx` are the "
        "tables alone, `overlay` is a picture of one page.",
        examples=["markdown"],
    )

    def to_read_options(self) -> ReadOptions:
        """Put the choice into the vocabulary of the stages."""
        return dataclasses.replace(super().to_read_options(), structure=True)


def parse_pages(text: str) -> tuple[int, ...]:
    """Read the page numbers of a text like ``1-3,7``, sorted and without repetition.

    Raises `PydanticCustomError` (a `ValueError`) for any other text, and for more than 10,000 numbers.
    """
    numbers: set[int] = set()
    asked = 0
    for part in text.split(","):
        match = _PAGE_RANGE.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last:
            raise PydanticCustomError("pages", "Pages are numbers from 1 and rising ranges, such as 1-3,7")
        # Counted before anything is expanded: a short text may name a thousand million pages.
        asked += last - first + 1
        if asked > MAX_PAGE_NUMBERS:
            raise PydanticCustomError(
                "pages", "At most {limit} pages may be named", {"limit": MAX_PAGE_NUMBERS}
            )
        numbers.update(range(first, last + 1))
    return tuple(sorted(numbers))


def format_pages(numbers: Iterable[int]) -> str:
    """Write rising page numbers as the shortest text that `parse_pages` reads."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)

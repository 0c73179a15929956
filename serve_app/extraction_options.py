"""What a caller may choose for the extraction of fields."""

import dataclasses
import json
from typing import Any, ClassVar, Self

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from deployments.document import ReadOptions
from deployments.extraction.wanted import MAX_SCHEMA_BYTES, EngineChoice, ExtractionRequest, parse_schema
from serve_app.options import OcrOptions

MAX_QUERIES = 20
_MAX_QUERY_LETTERS = 500
_OWN = {"document_id", "document_type", "json_schema", "queries", "engine", "tables"}


class ExtractionOptions(OcrOptions):
    """How to read a document, and which values to find in it; all that `OcrOptions` has besides.

    Raises `pydantic.ValidationError` for an unknown option or a value outside its range.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    # A schema and what stands around it.
    MAX_FIELD_BYTES: ClassVar[int] = MAX_SCHEMA_BYTES + 8 * 1024
    REPEATED: ClassVar[frozenset[str]] = frozenset({"queries"})

    document_id: str | None = Field(
        None,
        pattern=r"^doc_[0-9a-f]{32}$",
        description="A document that was read already, as the answer of /ocr, /structure or /extraction "
        "names it, in place of a file. It stays as it was read then: the options of reading mean nothing.",
        examples=["doc_0f8fad5bd9cb469fa16570867728950e"],
    )
    document_type: str = Field(
        "auto",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="`receipt`, `invoice`, `form`, a type that the server adds, or `auto`: by its words.",
        examples=["receipt"],
    )
    json_schema: str | None = Field(
        None,
        alias="schema",
        description="A JSON Schema of an object, as text: its properties are the values to find, in place of "
        "the fields of the document's type.",
        examples=['{"type": "object", "properties": {"total": {"type": "number"}}}'],
    )
    queries: tuple[str, ...] = Field(
        (),
        max_length=MAX_QUERIES,
        description="Questions, as a JSON list of texts, or one text.",
        examples=[["What is the total?"]],
    )
    engine: EngineChoice = Field(
        "auto",
        description="`auto` asks the language model where one is set up, and does without when it fails; "
        "`rules` never asks one; `llm` and `pp_chatocr` are refused where there is none. `pp_chatocr` asks "
        "in the words of PaddleOCR's PP-ChatOCRv4, where PaddleX is installed.",
        examples=["rules"],
    )
    tables: bool = Field(
        False,
        description="Find the cells of tables first, which helps with the items of invoices.",
        examples=[True],
    )

    def names_document(self) -> bool:
        """Whether the document is named by its id, and does not come along."""
        return self.document_id is not None

    def to_read_options(self) -> ReadOptions:
        """Put the choice into the vocabulary of the stages."""
        reading = OcrOptions.model_validate(self.model_dump(exclude=_OWN)).to_read_options()
        return dataclasses.replace(reading, structure=self.tables)

    def to_request(self) -> ExtractionRequest:
        """What is to be found. Raises `InvalidSchema`, `SchemaTooDeep`."""
        wanted = None if self.json_schema is None else parse_schema(self.json_schema)
        return ExtractionRequest(self.document_type, wanted, self.queries, self.engine)

    def filled_from(self, in_force: ReadOptions) -> Self:
        """Fill in what was left open with what was in force."""
        reading = OcrOptions.model_validate(self.model_dump(exclude=_OWN)).filled_from(in_force)
        return self.model_copy(update=reading.model_dump())

    @field_validator("queries", mode="before")
    @classmethod
    def _read_queries(cls, value: Any) -> Any:
        if isinstance(value, str):
            text = value.strip()
            try:
                value = json.loads(text) if text.startswith("[") else [text]
            except (ValueError, RecursionError):
                raise PydanticCustomError("queries", "Not a JSON list of texts") from None
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            raise PydanticCustomError("queries", "Not a JSON list of texts")
        kept = tuple(dict.fromkeys(one.strip() for one in value))
        if any(not 1 <= len(one) <= _MAX_QUERY_LETTERS for one in kept):
            raise PydanticCustomError(
                "queries", "A question has 1 to {most} letters", {"most": _MAX_QUERY_LETTERS}
            )
        return kept

    @model_validator(mode="after")
    def _refuse_what_cannot_be(self) -> Self:
        if self.document_id is not None and self.pages is not None:
            raise PydanticCustomError("document_id", "`pages` are those that were read with the document")
        return self

"""Fields of a document: values with the place of each on its page, whoever found them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from deployments.document import Quad

# How a value was found: beside or below its label, by its form alone, by where it stands on the page, in a
# table, computed from other values, by a language model, by PP-ChatOCRv4; ``none`` where there is no value.
FieldSource = Literal["label", "pattern", "position", "table", "computed", "llm", "pp_chatocr", "none"]

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


@dataclass(frozen=True)
class FieldValue:
    """One value and what it was read from.

    ``value`` is the normalised form (ISO dates and times, numbers as numbers), ``text`` what the page says.
    ``quads`` (float32, (4, 2), pixels of the upright page) cover the text, one for each of ``line_ids``,
    which are places in the lines of page number ``page``. ``ungrounded``: a language model gave the value,
    and no line of the document has it. ``confidence`` is 0 to 1, 0 without a value. ``items`` are the rows of
    a field that repeats (items of a receipt), each with values of its own.
    """

    value: JsonValue = None
    text: str | None = None
    confidence: float = 0.0
    quads: tuple[Quad, ...] = ()
    line_ids: tuple[int, ...] = ()
    page: int | None = None
    source: FieldSource = "none"
    ungrounded: bool = False
    items: tuple[Mapping[str, "FieldValue"], ...] = ()


@dataclass(frozen=True)
class ExtractedFields:
    """The fields of a document, by name; ``document_type`` is the one that was asked for or found.

    ``answers`` are to the questions that were asked, by their text. ``warnings`` are stable codes of what did
    not go as asked (a language model that did not answer, say).
    """

    document_type: str
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    answers: Mapping[str, FieldValue] = field(default_factory=dict)

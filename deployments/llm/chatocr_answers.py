"""Answers of PP-ChatOCRv4 as fields: texts as the document has them, units added, and no places."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from configs.rulebook import FieldKind
from deployments.extraction.dates import find_dates, find_times
from deployments.extraction.fields import FieldValue, JsonValue
from deployments.extraction.grounding import Claim, ground
from deployments.extraction.sheet import Sheet
from deployments.extraction.wanted import WantedField
from deployments.extraction.wanted_rules import convert
from deployments.llm.extraction import join_values

_MAX_VALUES = 200
# Its prompts want a unit behind each number, whether the document has one or not.
_WITH_UNIT = re.compile(r"\s*(\D{0,3}\d(?:[\d.,]*\d)?)\s*[^\d\s]{1,6}\s*")
# Its own word is sorted out by itself; these are what models say in place of it.
_UNKNOWN = {"unknown", "not found", "not stated", "n/a", "none", "null", "-", "未知。", "알 수 없음", "없음"}


def read_answer(said: Any, wanted: WantedField, kind: FieldKind, sheet: Sheet) -> FieldValue:
    """An answer with its place, or ``ungrounded``; ``kind`` tells whether it is a date or a time."""
    if wanted.is_list:
        entries = said if isinstance(said, list) else [said]
        single = replace(wanted, is_list=False)
        return _name_source(join_values([_read(one, single, kind, sheet) for one in entries[:_MAX_VALUES]]))
    return _name_source(_read(said[0] if isinstance(said, list) and said else said, wanted, kind, sheet))


def _name_source(found: FieldValue) -> FieldValue:
    return found if found.source == "none" else replace(found, source="pp_chatocr")


def _read(said: Any, wanted: WantedField, kind: FieldKind, sheet: Sheet) -> FieldValue:
    first = FieldValue()
    for text in _list_readings(said):
        found = ground(Claim(_normalise(text, wanted, kind, sheet), text), wanted, sheet)
        if found.value is not None and not found.ungrounded:
            return found
        first = found if first.value is None else first
    return FieldValue() if str(said).strip().casefold() in _UNKNOWN else first


def _list_readings(said: Any) -> Iterator[str]:
    """What the document may have in place of an answer, the likeliest first."""
    if isinstance(said, str):
        yield said
        if (number := _WITH_UNIT.fullmatch(said)) is not None:
            yield number[1]
    elif isinstance(said, bool):
        yield str(said)
    elif isinstance(said, int | float):
        yield f"{said:.10g}"
        yield f"{said:.2f}"


def _normalise(text: str, wanted: WantedField, kind: FieldKind, sheet: Sheet) -> JsonValue:
    if kind in ("date", "time") and wanted.kind == "string":
        hits = find_dates(text, sheet.date_order) if kind == "date" else find_times(text)
        return next((hit.value for hit in hits), text)
    return convert(text, wanted)

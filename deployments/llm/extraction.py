"""Fields by a language model: asked once, and every answer held against the lines of the document."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from configs.llm import LlmSettings
from configs.rulebook import RuleBook
from deployments.document import Page
from deployments.extraction.fields import FieldValue, JsonValue
from deployments.extraction.grounding import Claim, ground
from deployments.extraction.habits import make_sheet
from deployments.extraction.sheet import Sheet
from deployments.extraction.wanted import WantedField
from deployments.extraction.wanted_rules import convert
from deployments.llm.client import LlmClient
from deployments.llm.prompt import build_prompt
from deployments.metric_table import Recorder

_LINE_ID = re.compile(r"p([0-9]{1,6})\.l([0-9]{1,6})")
_MAX_ROWS = 200


@dataclass(frozen=True)
class LlmFields:
    """What a model found, grounded; ``is_cut`` when it was not shown the end of the document."""

    fields: Mapping[str, FieldValue]
    answers: Mapping[str, FieldValue]
    is_cut: bool


class LlmExtractor:
    """Asks one endpoint, by a ``client`` that others may share. Belongs to one event loop."""

    def __init__(self, settings: LlmSettings, rules: RuleBook, recorder: Recorder) -> None:
        self._settings = settings
        self._rules = rules
        self._recorder = recorder
        self.client = LlmClient(settings)

    async def find(
        self,
        pages: Sequence[Page],
        wanted: Sequence[WantedField],
        queries: Sequence[str],
        deadline_s: float,
    ) -> LlmFields:
        """Values and answers of a document, null where it has none. Raises `LlmError` by the deadline."""
        prompt = build_prompt(pages, wanted, queries, self._settings.max_input_tokens)
        answer = await self.client.ask(prompt.messages, prompt.schema, deadline_s)
        self._recorder.add("ocr_llm_tokens", answer.prompt_tokens, kind="prompt")
        self._recorder.add("ocr_llm_tokens", answer.completion_tokens, kind="completion")
        sheet = make_sheet(pages, self._rules)
        given, said = _object(answer.content.get("fields")), _object(answer.content.get("answers"))
        return LlmFields(
            {one.name: _read(given.get(one.name), one, sheet) for one in wanted},
            {
                query: _read(said.get(f"q{number}"), WantedField(query), sheet)
                for number, query in enumerate(queries, 1)
            },
            prompt.is_cut,
        )

    async def close(self) -> None:
        """End the connections."""
        await self.client.close()


def _read(given: Any, wanted: WantedField, sheet: Sheet) -> FieldValue:
    """One answer of the model as a field; what is not in the form that was asked for is no answer."""
    if wanted.columns:
        rows = given if isinstance(given, list) else []
        return FieldValue(
            source="llm" if rows else "none",
            items=tuple(
                {
                    column.name: _read(_object(row).get(column.name), column, sheet)
                    for column in wanted.columns
                }
                for row in rows[:_MAX_ROWS]
            ),
        )
    if wanted.is_list:
        entries = given if isinstance(given, list) else []
        single = replace(wanted, is_list=False)
        return join_values([_read(entry, single, sheet) for entry in entries[:_MAX_ROWS]])
    entry = _object(given)
    value = convert(_plain(entry.get("value")), wanted)
    quote = entry.get("quote")
    named = entry.get("lines")
    lines = [] if not isinstance(named, list) else [str(name) for name in named[:_MAX_ROWS]]
    claim = Claim(value, quote if isinstance(quote, str) else "", tuple(_find_lines(lines, sheet)))
    return ground(claim, wanted, sheet)


def join_values(values: Sequence[FieldValue]) -> FieldValue:
    """Several values of one field as a list; it is as sure as the least sure of them."""
    kept = [one for one in values if one.value is not None]
    if not kept:
        return FieldValue()
    page = next((one.page for one in kept if one.page is not None), None)
    placed = [one for one in kept if one.page == page]
    return FieldValue(
        value=[one.value for one in kept],
        text="; ".join(one.text for one in placed if one.text) or None,
        confidence=min(one.confidence for one in kept),
        quads=tuple(quad for one in placed for quad in one.quads),
        line_ids=tuple(line for one in placed for line in one.line_ids),
        page=page,
        source="llm",
        ungrounded=any(one.ungrounded for one in kept),
    )


def _find_lines(names: Sequence[str], sheet: Sheet) -> list[tuple[int, int]]:
    """Places of the lines that a model names, those that do not exist left out."""
    places = {page.number: place for place, page in enumerate(sheet.pages)}
    found = []
    for match in filter(None, map(_LINE_ID.fullmatch, names)):
        page, line = places.get(int(match[1])), int(match[2])
        if page is not None and line < len(sheet.pages[page].lines):
            found.append((page, line))
    return found


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _plain(value: Any) -> JsonValue:
    return value if isinstance(value, str | int | float | bool) else None

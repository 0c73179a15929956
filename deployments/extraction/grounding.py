"""Holds what a language model says against the lines of the document: what no line has is flagged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from deployments.extraction.dates import find_dates, find_times
from deployments.extraction.fields import FieldValue, JsonValue
from deployments.extraction.labels import Compact, compact
from deployments.extraction.numbers import find_money, find_numbers
from deployments.extraction.sheet import Sheet, Span
from deployments.extraction.wanted import WantedField

# Of 100: how alike a quote and the line must be, and a value and its quote.
_LEAST_QUOTE_SCORE = 88.0
_LEAST_VALUE_SCORE = 80.0
_FUZZY_LENGTH = 5
_MAX_LINES = 20
_UNGROUNDED_CONFIDENCE = 0.1
# A model's own share of doubt, and that of a value which stands for its quote without being in it.
_MODEL_SHARE = 0.95
_IMPLIED_SHARE = 0.7


@dataclass(frozen=True)
class Claim:
    """What a model says of one value: the value, the characters that it read it from, and their lines.

    ``lines`` are (place of the page, place of the line in it), as many as are real.
    """

    value: JsonValue
    quote: str = ""
    lines: tuple[tuple[int, int], ...] = ()


def ground(claim: Claim, wanted: WantedField, sheet: Sheet) -> FieldValue:
    """The claim as a field: with its place where lines state it, else ``ungrounded``; null stays null."""
    if claim.value is None or claim.value == "":
        return FieldValue()
    everywhere = [(page, line) for page, one in enumerate(sheet.pages) for line in range(len(one.lines))]
    named = list(dict.fromkeys(claim.lines))[:_MAX_LINES]
    needles = dict.fromkeys(text for text in (claim.quote, _write(claim.value)) if text)
    # The lines that the model names come first, then all others one by one.
    for lines in ([named] if named else []) + [[place] for place in (*named, *everywhere)]:
        for needle in needles:
            found = _find_spans(compact(needle).text, lines, sheet)
            if found is None:
                continue
            spans, likeness = found
            support = _support(" ".join(sheet.text_of(span) for span in spans), claim.value, wanted, sheet)
            if support:
                return _place(claim.value, spans, likeness * support, sheet)
    return FieldValue(claim.value, None, _UNGROUNDED_CONFIDENCE, source="llm", ungrounded=True)


def _write(value: JsonValue) -> str:
    if isinstance(value, bool | list | dict):
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _place(value: JsonValue, spans: Sequence[Span], likeness: float, sheet: Sheet) -> FieldValue:
    on_page = [span for span in spans if span.page == spans[0].page]
    return FieldValue(
        value=value,
        text=" ".join(sheet.text_of(span) for span in on_page),
        confidence=round(_MODEL_SHARE * likeness * sheet.confidence_of(on_page), 4),
        quads=tuple(sheet.quad_of(span) for span in on_page),
        line_ids=tuple(span.line for span in on_page),
        page=sheet.pages[spans[0].page].number,
        source="llm",
    )


def _find_spans(
    needle: str, lines: Sequence[tuple[int, int]], sheet: Sheet
) -> tuple[tuple[Span, ...], float] | None:
    """Where lines, one after the other, state a text; with how alike it is, from 0 to 1."""
    held = [compact(sheet.pages[page].lines[line].text) for page, line in lines]
    joined = "".join(one.text for one in held)
    starts = set()
    offset = 0
    for one in held:
        starts |= {offset, *(offset + start for start in one.starts)}
        offset += len(one.text)
    found = _find_text(needle, joined, starts | {len(joined)})
    if found is None:
        return None
    first, last, likeness = found
    return tuple(_cut(lines, held, first, last)), likeness


def _find_text(needle: str, text: str, edges: set[int]) -> tuple[int, int, float] | None:
    if not needle:
        return None
    at = text.find(needle)
    while at >= 0:
        end = at + len(needle)
        # A 4 is not stated by a 2024; Korean words have endings.
        if (at in edges and end in edges) or not needle.isascii():
            return at, end, 1.0
        at = text.find(needle, at + 1)
    # Digits that differ are another number, however alike.
    if len(needle) < _FUZZY_LENGTH or len(text) < len(needle) - 1 or needle.isdigit():
        return None
    best = fuzz.partial_ratio_alignment(needle, text, score_cutoff=_LEAST_QUOTE_SCORE)
    if best is None or _digits(needle) != _digits(text[best.dest_start : best.dest_end]):
        return None
    return best.dest_start, best.dest_end, best.score / 100


def _cut(lines: Sequence[tuple[int, int]], held: Sequence[Compact], first: int, last: int) -> Iterable[Span]:
    """The parts of each line that hold these characters of their joined text."""
    offset = 0
    for (page, line), one in zip(lines, held, strict=True):
        begin, end = max(first - offset, 0), min(last - offset, len(one.text))
        if begin < end:
            yield Span(page, line, one.places[begin], one.places[end - 1] + 1)
        offset += len(one.text)


def _support(text: str, value: JsonValue, wanted: WantedField, sheet: Sheet) -> float:
    """How far a text of the page states a value, from 0 (it does not) to 1."""
    if isinstance(value, bool):
        return _IMPLIED_SHARE
    if isinstance(value, int | float):
        return 1.0 if any(abs(number - value) < 1e-6 for number in _read_numbers(text)) else 0.0
    if not isinstance(value, str):
        return 0.0
    if value in wanted.choices:
        return _IMPLIED_SHARE
    dates = [hit.value for order in ("DMY", "MDY", "YMD") for hit in find_dates(text, order)]
    times = [hit.value for hit in find_times(text)]
    if value in dates or value in times:
        return 1.0
    said, stated = compact(value).text, compact(text).text
    if not said:
        return 0.0
    if said in stated or _digits(said) == _digits(stated) == said:
        return 1.0
    if _digits(said) != _digits(stated):
        return 0.0
    score = fuzz.ratio(said, stated, score_cutoff=_LEAST_VALUE_SCORE)
    return score / 100


def _read_numbers(text: str) -> list[float]:
    hits = [hit for decimals in (0, 2) for hit in find_money(text, (), decimals, bare=True)]
    return [float(hit.value) for hit in (*hits, *find_numbers(text)) if isinstance(hit.value, int | float)]


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())

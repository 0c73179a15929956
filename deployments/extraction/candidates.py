"""Candidates for a field: what stands beside its labels, and what looks like it elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from configs.rulebook import FieldKind, FieldRule
from deployments.extraction.beside import Finder, find_text, is_value, look_beside
from deployments.extraction.dates import find_dates, find_times
from deployments.extraction.fields import FieldSource, JsonValue
from deployments.extraction.identifiers import find_business_numbers, find_codes, find_phones
from deployments.extraction.labels import find_label, has_word
from deployments.extraction.numbers import Hit, find_money, find_numbers
from deployments.extraction.sheet import Run, Sheet, Span

_LABELLED, _PATTERN, _POSITION = 0.8, 0.55, 0.35
_RANK_COST, _RANKS = 0.006, 20
_AFTER_COST = 0.3


@dataclass(frozen=True)
class Candidate:
    """A value that a field may have; ``score`` orders the candidates of a field: 0 to 1, more with sums."""

    value: JsonValue
    spans: tuple[Span, ...]
    score: float
    source: FieldSource
    top: float = 0.0
    left: float = 0.0
    height: float = 0.0
    rank: int = 0
    items: tuple[dict[str, "Candidate"], ...] = field(default=())

    def shift(self, by: float) -> "Candidate":
        """The same with another score."""
        return replace(self, score=max(self.score + by, 0.01))


def make_finders(sheet: Sheet) -> dict[FieldKind, Finder]:
    """For each kind, what finds its values in a text (told whether a label stands before it)."""
    country = sheet.country
    decimals = country.decimals if country else 2
    signs = country.signs if country else ()
    region = country.region if country else None
    return {
        "date": lambda text, labelled: find_dates(text, sheet.date_order),
        "time": lambda text, labelled: find_times(text),
        "money": lambda text, labelled: find_money(text, signs, decimals, bare=labelled),
        "number": lambda text, labelled: find_numbers(text),
        "phone": lambda text, labelled: find_phones(text, region, labelled),
        "business_number": lambda text, labelled: find_business_numbers(text, region == "KR", labelled),
        "code": lambda text, labelled: find_codes(text),
        "text": find_text,
        "company": find_text,
        "address": find_text,
    }


def find_candidates(sheet: Sheet, rule: FieldRule, others: Sequence[FieldRule]) -> list[Candidate]:
    """All candidates of a field, unordered; labels of the document's ``others`` are no values."""
    finder = make_finders(sheet).get(rule.kind)
    if finder is None:
        return []
    divides = _find_divide(sheet, rule)
    found: list[Candidate] = []
    # The fax stands behind the phone in one line: the first number is meant.
    not_labels = () if rule.kind == "phone" else rule.not_labels
    labels = [label for run in sheet.runs if (label := find_label(run, rule.labels, not_labels)) is not None]
    for label in labels:
        for cost, run, hit in look_beside(sheet, rule, label, finder, others):
            score = _LABELLED * label.likeness * hit.quality**0.25 + 0.1 * hit.quality - cost
            score -= _RANK_COST * min(label.rank, _RANKS)
            score += 0.03 if label.start == 0 else -0.05
            made = _make(sheet, run, hit, score, "label", label.rank)
            found.append(made.shift(-_AFTER_COST) if _is_after(label.run, divides) else made)
    if rule.unlabelled and not (rule.kind == "money" and found):
        found += _look_anywhere(sheet, rule, finder, divides)
    return found


def _find_divide(sheet: Sheet, rule: FieldRule) -> list[Run]:
    return [run for run in sheet.runs if rule.not_after and has_word(run.text, rule.not_after)]


def _is_after(run: Run, divides: Sequence[Run]) -> bool:
    return any((run.page, run.middle) > (divide.page, divide.middle) for divide in divides)


def _make(sheet: Sheet, run: Run, hit: Hit, score: float, source: FieldSource, rank: int = 0) -> Candidate:
    sure = 0.7 + 0.3 * run.confidence
    clipped = max(score * sure, 0.01)
    return Candidate(
        hit.value, (run.span(hit.start, hit.end),), clipped, source, run.top, run.left, run.height, rank
    )


def _look_anywhere(
    sheet: Sheet, rule: FieldRule, finder: Finder, divides: Sequence[Run]
) -> Iterator[Candidate]:
    if rule.kind in ("text", "code", "company", "address"):
        return
    for run in sheet.runs:
        if rule.not_labels and _is_denied(sheet, run, rule):
            continue
        for hit in finder(run.text, False):
            if not is_value(rule, hit):
                continue
            base = _POSITION if rule.kind == "money" else _PATTERN
            made = _make(
                sheet, run, hit, base * hit.quality, "position" if rule.kind == "money" else "pattern"
            )
            yield made.shift(-_AFTER_COST) if _is_after(run, divides) else made


def _is_denied(sheet: Sheet, run: Run, rule: FieldRule) -> bool:
    """Whether a word that excludes the field stands in the run or just left of it."""
    if has_word(run.text, rule.not_labels):
        return True
    left = [other for other in sheet.row_of(run) if other.right <= run.left + 0.5 * run.height]
    return bool(left) and has_word(left[-1].text, rule.not_labels)


def choose(candidates: Sequence[Candidate], rule: FieldRule) -> list[Candidate]:
    """The candidates with the best first; alike ones in the order that the rule prefers."""
    last = rule.prefer == "last"

    def key(candidate: Candidate) -> tuple[float, float]:
        if rule.prefer == "largest":
            return -round(candidate.score, 1), -float(candidate.value or 0)  # type: ignore[arg-type]
        page = candidate.spans[0].page if candidate.spans else 0
        place = (page * 1e6 + candidate.top) * (-1 if last else 1)
        return -round(candidate.score, 2), place

    return sorted(candidates, key=key)

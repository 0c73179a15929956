"""Candidates for a field: what stands beside its labels, and what looks like it elsewhere."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from configs.rulebook import FieldKind, FieldRule
from deployments.extraction.dates import find_dates, find_times
from deployments.extraction.fields import FieldSource, JsonValue
from deployments.extraction.identifiers import find_business_numbers, find_codes, find_phones
from deployments.extraction.labels import Label, find_label, has_word
from deployments.extraction.numbers import Hit, find_money, find_numbers
from deployments.extraction.sheet import Run, Sheet, Span

_LABELLED, _PATTERN, _POSITION = 0.8, 0.55, 0.35
_RANK_COST, _RANKS = 0.006, 20
_BELOW_COST, _AFTER_COST = 0.1, 0.3
# A value stands after a label, at most so many runs to the right.
_REACH_RUNS = 4

Finder = Callable[[str, bool], Iterable[Hit]]


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


def find_text(text: str, labelled: bool) -> Iterator[Hit]:
    """Whatever stands after a label, without the marks that divide them."""
    start = len(text) - len(text.lstrip(" :;.-–=>*"))
    kept = text[start:].rstrip(" :;")
    if kept and labelled and any(character.isalnum() for character in kept):
        yield Hit(start, start + len(kept), " ".join(kept.split()), 0.9)


def find_candidates(sheet: Sheet, rule: FieldRule, others: Sequence[FieldRule]) -> list[Candidate]:
    """All candidates of a field, unordered. ``others`` are the document's other fields, whose labels are no values."""
    finder = make_finders(sheet).get(rule.kind)
    if finder is None:
        return []
    divides = _find_divide(sheet, rule)
    found: list[Candidate] = []
    labels = [label for run in sheet.runs if (label := find_label(run, rule.labels, rule.not_labels)) is not None]
    for label in labels:
        for cost, run, hit in _look_beside(sheet, rule, label, finder, others):
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
    return Candidate(hit.value, (run.span(hit.start, hit.end),), clipped, source, run.top, run.left, run.height, rank)


def _look_beside(
    sheet: Sheet, rule: FieldRule, label: Label, finder: Finder, others: Sequence[FieldRule]
) -> Iterator[tuple[float, Run, Hit]]:
    """Values of one label: those in its line, else those right of it, else those below; with a cost."""
    run = label.run
    if "same" in rule.where:
        rest = run.text[label.end :]
        shift = label.end
        hits = [replace(hit, start=hit.start + shift, end=hit.end + shift) for hit in finder(rest, True)]
        hits = [hit for hit in hits if _is_value(rule, hit)]
        if rule.kind == "money":
            # A rate of a tax, or a number of the label's own, is no price.
            hits = [hit for hit in hits if hit.quality > 0.5]
        if hits:
            yield 0.0, run, hits[-1] if rule.kind == "money" else hits[0]
            return
        if rule.kind in ("text", "company", "address") and any(letter.isalnum() for letter in rest):
            return
    if "right" in rule.where:
        beside = sheet.right_of(run)[:_REACH_RUNS]
        found = [(other, hit) for other in beside for hit in finder(other.text, True) if _is_value(rule, hit)]
        if rule.kind in ("text", "company", "address", "code"):
            found = [pair for pair in found[:1] if not is_label(pair[0], others)]
        if rule.kind == "money":
            found = [pair for pair in found if pair[1].quality > 0.5] or found
        if found:
            other, hit = found[-1] if rule.kind == "money" else found[0]
            yield 0.0, other, hit
            return
    if "below" in rule.where:
        for other in sheet.below(run):
            if is_label(other, others):
                continue
            hits = [hit for hit in finder(other.text, True) if _is_value(rule, hit)]
            if rule.kind in ("text", "company") and abs(other.left - run.left) > 3 * run.height:
                continue
            if hits:
                yield _BELOW_COST, other, hits[0]
                return


def _is_value(rule: FieldRule, hit: Hit) -> bool:
    return rule.kind != "money" or (isinstance(hit.value, int | float) and abs(hit.value) < 1e12)


def is_label(run: Run, others: Sequence[FieldRule]) -> bool:
    """Whether a run begins with a label of one of some fields."""
    for rule in others:
        label = find_label(run, rule.labels, rule.not_labels)
        if label is not None and label.start == 0 and label.likeness > 0.85:
            return True
    return False


def _look_anywhere(
    sheet: Sheet, rule: FieldRule, finder: Finder, divides: Sequence[Run]
) -> Iterator[Candidate]:
    if rule.kind in ("text", "code", "company", "address"):
        return
    for run in sheet.runs:
        if rule.not_labels and _is_denied(sheet, run, rule):
            continue
        for hit in finder(run.text, False):
            if not _is_value(rule, hit):
                continue
            base = _POSITION if rule.kind == "money" else _PATTERN
            made = _make(sheet, run, hit, base * hit.quality, "position" if rule.kind == "money" else "pattern")
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

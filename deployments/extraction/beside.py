"""What stands beside a label: after it in its line, right of it, or below it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

from configs.rulebook import FieldRule
from deployments.extraction.labels import Label, find_label
from deployments.extraction.numbers import Hit
from deployments.extraction.sheet import Run, Sheet

_BELOW_COST = 0.1
# A value stands at most so many runs right of its label.
_REACH_RUNS = 4
_WORDS = ("text", "company", "address")
_SURE_PRICE = 0.5
_SURE_LABEL = 0.85

# Finds the values of a kind in a text; told whether a label stands before it.
Finder = Callable[[str, bool], Iterable[Hit]]
Found = tuple[float, Run, Hit]


def find_text(text: str, labelled: bool) -> Iterator[Hit]:
    """Whatever stands after a label, without the marks that divide them."""
    start = len(text) - len(text.lstrip(" :;.-–=>*"))
    kept = text[start:].rstrip(" :;")
    if kept and labelled and any(character.isalnum() for character in kept):
        yield Hit(start, start + len(kept), " ".join(kept.split()), 0.9)


def look_beside(
    sheet: Sheet, rule: FieldRule, label: Label, finder: Finder, others: Sequence[FieldRule]
) -> Iterator[Found]:
    """Values of one label: those in its line, else right of it, else below; with a cost of the place."""
    rest = label.run.text[label.end :]
    found = _look_behind(rule, label, rest, finder) if "same" in rule.where else None
    filled = "same" in rule.where and rule.kind in _WORDS and any(letter.isalnum() for letter in rest)
    if found is None and not filled and "right" in rule.where:
        found = _look_right(sheet, rule, label.run, finder, others)
    if found is None and not filled and "below" in rule.where:
        found = _look_below(sheet, rule, label.run, finder, others)
    if found is not None:
        yield found


def _look_behind(rule: FieldRule, label: Label, rest: str, finder: Finder) -> Found | None:
    hits = [hit for hit in finder(rest, True) if is_value(rule, hit)]
    if rule.kind == "money":
        # A rate of a tax, or a number of the label's own, is no price.
        hits = [hit for hit in hits if hit.quality > _SURE_PRICE]
    if not hits:
        return None
    hit = hits[-1] if rule.kind == "money" else hits[0]
    return 0.0, label.run, replace(hit, start=hit.start + label.end, end=hit.end + label.end)


def _look_right(
    sheet: Sheet, rule: FieldRule, run: Run, finder: Finder, others: Sequence[FieldRule]
) -> Found | None:
    """The nearest value of a row; the last price of it, where several columns stand beside a sum."""
    beside = takewhile(lambda other: not is_label(other, others), sheet.right_of(run)[:_REACH_RUNS])
    found = [(other, hit) for other in beside for hit in finder(other.text, True) if is_value(rule, hit)]
    if rule.kind == "money":
        found = [pair for pair in found if pair[1].quality > _SURE_PRICE] or found
    if not found:
        return None
    other, hit = found[-1] if rule.kind == "money" else found[0]
    return 0.0, other, hit


def _look_below(
    sheet: Sheet, rule: FieldRule, run: Run, finder: Finder, others: Sequence[FieldRule]
) -> Found | None:
    for other in sheet.below(run):
        away = rule.kind in _WORDS and abs(other.left - run.left) > 3 * run.height
        if away or is_label(other, others):
            continue
        hits = [hit for hit in finder(other.text, True) if is_value(rule, hit)]
        if hits:
            return _BELOW_COST, other, hits[0]
    return None


def is_value(rule: FieldRule, hit: Hit) -> bool:
    """Whether a hit may be a value of the field: prices are numbers of a sensible size."""
    return rule.kind != "money" or (isinstance(hit.value, int | float) and abs(hit.value) < 1e12)


def is_label(run: Run, rules: Sequence[FieldRule]) -> bool:
    """Whether a run begins with a label of one of some fields."""
    for rule in rules:
        label = find_label(run, rule.labels, rule.not_labels)
        if label is not None and label.start == 0 and label.likeness > _SURE_LABEL:
            return True
    return False

"""Sums that must come out: they choose between candidates, and make the right ones surer."""

from collections.abc import Mapping, Sequence
from itertools import product

from configs.rulebook import SumRule
from deployments.extraction.candidates import Candidate

# The best of each field are tried, and no more: their combinations multiply.
_TRIED = 5
_TOTAL_BONUS, _PART_BONUS, _MOST_BONUS = 0.12, 0.1, 0.24
_CONTRADICTION_COST = 0.06
_TOLERANCE = 0.011

Candidates = Mapping[str, Sequence[Candidate]]


def settle_sums(candidates: Candidates, rules: Sequence[SumRule]) -> dict[str, list[Candidate]]:
    """The candidates with scores that say which sums they are part of.

    A total gains by each rule that some of the parts fulfil, and loses a little where a rule's parts are all
    there and none of their combinations comes out.
    """
    gains: dict[tuple[str, int], float] = {}
    for rule in rules:
        fits = _find_fits(candidates, rule)
        for name, place in fits:
            bonus = _TOTAL_BONUS if name == rule.total else _PART_BONUS
            gains[name, place] = min(gains.get((name, place), 0.0) + bonus, _MOST_BONUS)
        required = [part.strip("-") for part in rule.parts if not part.endswith("?")]
        if (
            not fits
            and all(candidates.get(name) for name in (rule.total, *required))
            and "items" not in required
        ):
            gains[rule.total, 0] = gains.get((rule.total, 0), 0.0) - _CONTRADICTION_COST
    return {
        name: [candidate.shift(gains.get((name, place), 0.0)) for place, candidate in enumerate(row)]
        for name, row in candidates.items()
    }


def _find_fits(candidates: Candidates, rule: SumRule) -> set[tuple[str, int]]:
    """Places of the candidates that fulfil a rule, in the best combination of each total."""
    best: dict[int, tuple[float, tuple[tuple[str, int], ...]]] = {}
    choices = [_list_choices(candidates, part) for part in rule.parts]
    totals = list(enumerate(candidates.get(rule.total, ())))[:_TRIED]
    for combination in product(*choices):
        found = [choice for choice in combination if choice is not None]
        if not found or all(number == 0 for _, _, number, _ in found):
            continue
        value = sum(number for _, _, number, _ in found)
        score = sum(one for *_, one in found) / len(combination)
        if len(found) == 1 and len(rule.parts) > 1:
            continue
        for place, total in totals:
            if isinstance(total.value, int | float) and abs(total.value - value) <= _TOLERANCE and value > 0:
                # Two fields that were read from one place prove nothing.
                if any(spans and spans == total.spans for spans in _spans_of(candidates, found)):
                    continue
                if place not in best or score > best[place][0]:
                    best[place] = score, tuple((name, at) for name, at, _, _ in found)
    fits: set[tuple[str, int]] = set()
    for place, (_, parts) in best.items():
        fits |= {(rule.total, place), *parts}
    return fits


def _spans_of(candidates: Candidates, found: Sequence[tuple[str, int, float, float]]) -> list[object]:
    return [candidates[name][place].spans for name, place, _, _ in found]


def _list_choices(candidates: Candidates, part: str) -> list[tuple[str, int, float, float] | None]:
    name = part.strip("-?")
    sign = -1.0 if part.startswith("-") else 1.0
    choices: list[tuple[str, int, float, float] | None] = []
    for place, candidate in list(enumerate(candidates.get(name, ())))[:_TRIED]:
        value = add_items(candidate) if candidate.items else candidate.value
        if isinstance(value, int | float):
            # What is taken off is written with a minus or without.
            number = sign * abs(value) if sign < 0 else float(value)
            choices.append((name, place, number, candidate.score))
    return [*choices, None] if part.endswith("?") else choices


def add_items(candidate: Candidate) -> float | None:
    """The sum of the amounts of all items; None if there are none."""
    amounts = [item["amount"].value for item in candidate.items if "amount" in item]
    numbers = [amount for amount in amounts if isinstance(amount, int | float)]
    return round(float(sum(numbers)), 2) if numbers else None

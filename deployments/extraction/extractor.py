"""Fields of a document by rules, without any network: what is there is found, what is not stays empty."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from configs.rulebook import FieldRule, RuleBook, TypeRules
from deployments.document import Page
from deployments.extraction.beside import is_label
from deployments.extraction.candidates import Candidate, choose, find_candidates
from deployments.extraction.fields import ExtractedFields, FieldValue
from deployments.extraction.habits import find_currency, make_sheet, recognise_type
from deployments.extraction.item_rows import place_of
from deployments.extraction.items import find_items
from deployments.extraction.labels import find_label
from deployments.extraction.pairs import find_pairs
from deployments.extraction.parties import find_addresses, find_companies
from deployments.extraction.sheet import Run, Sheet
from deployments.extraction.sums import settle_sums
from deployments.extraction.table_items import find_table_items
from deployments.input_errors import UnknownDocumentType

AUTO = "auto"


def extract_fields(pages: Sequence[Page], document_type: str, rules: RuleBook) -> ExtractedFields:
    """The fields of a document's pages, which together are one receipt, invoice or form.

    ``document_type`` is a type of the rules, or ``auto`` to tell it by its words. A field that is not found
    is there without a value. Raises `UnknownDocumentType`.
    """
    if document_type != AUTO and document_type not in rules.types:
        names = ", ".join([AUTO, *sorted(rules.types)])
        raise UnknownDocumentType(f"The document_type is not one of {names}.")
    sheet = make_sheet(pages, rules)
    name = recognise_type(sheet, rules) if document_type == AUTO else document_type
    kind = rules.types[name]
    fields = {
        field: describe(sheet, candidates[0], rules, kind.fields[field].kind) if candidates else FieldValue()
        for field, candidates in _find_all(sheet, kind, rules).items()
        if kind.fields[field].returned
    }
    if kind.pairs:
        fields = {**_find_pairs(sheet, kind, rules), **fields}
    return ExtractedFields(name, fields)


def _find_all(sheet: Sheet, kind: TypeRules, rules: RuleBook) -> dict[str, list[Candidate]]:
    """The candidates of each field, best first, after the sums have been looked at."""
    found: dict[str, list[Candidate]] = {}
    company: Candidate | None = None
    for name, rule in kind.fields.items():
        others = [other for key, other in kind.fields.items() if key != name]
        candidates = find_candidates(sheet, rule, others)
        if rule.kind == "company" and rule.unlabelled:
            labelled = {run.line for run in sheet.runs if is_label(run, list(kind.fields.values()))}
            candidates += find_companies(sheet, rules.common.vocabulary, labelled)
        elif rule.kind == "address" and rule.unlabelled:
            candidates += find_addresses(sheet, rules.common.vocabulary, company)
        elif rule.kind == "currency":
            candidates = find_currency(sheet, rules.common.countries)
        if rule.party is not None:
            candidates = _keep_party(sheet, candidates, rule, kind)
        found[name] = _drop_twins(choose(_weigh(candidates, rule), rule))
        if rule.kind == "company" and company is None and found[name]:
            company = found[name][0]
    for name, rule in kind.fields.items():
        if rule.kind == "items":
            found[name] = _find_items(sheet, kind, rule, rules)
        elif rule.prefer == "sum" and found[name]:
            found[name] = [_add_up(found[name])]
    found = {name: choose(row, kind.fields[name]) for name, row in settle_sums(found, kind.sums).items()}
    _pair_time_with_date(found, kind)
    return {name: found[name] for name in kind.fields}


def _weigh(candidates: Sequence[Candidate], rule: FieldRule) -> list[Candidate]:
    """Prices without a label are the surer the larger they are."""
    if rule.kind != "money":
        return list(candidates)
    numbers = [abs(one.value) for one in candidates if isinstance(one.value, int | float)]
    most = max(numbers, default=0) or 1
    return [
        one.shift(0.12 * abs(one.value) / most - 0.06)
        if one.source == "position" and isinstance(one.value, int | float)
        else one
        for one in candidates
    ]


def _drop_twins(candidates: Sequence[Candidate]) -> list[Candidate]:
    """One candidate for each place."""
    kept: dict[object, Candidate] = {}
    for candidate in candidates:
        kept.setdefault(candidate.spans or candidate.value, candidate)
    return list(kept.values())


def _add_up(candidates: Sequence[Candidate]) -> Candidate:
    labelled = [one for one in candidates if one.source == "label"] or list(candidates)
    total = sum(one.value for one in labelled if isinstance(one.value, int | float))
    spans = tuple(span for one in labelled for span in one.spans)
    value = round(total, 2) if isinstance(total, float) else total
    return replace(labelled[0], value=value, spans=spans, source="computed" if len(labelled) > 1 else "label")


def _keep_party(
    sheet: Sheet, candidates: Sequence[Candidate], rule: FieldRule, kind: TypeRules
) -> list[Candidate]:
    """Candidates in the part of the page that the party's label heads; without any such label all."""
    parties = {other.party for other in kind.fields.values() if other.party is not None}
    heads: list[tuple[str, Run]] = []
    for name in parties:
        labels, not_labels = kind.fields[name].labels, kind.fields[name].not_labels
        for run in sheet.runs:
            label = find_label(run, labels, not_labels)
            if label is not None and label.start == 0:
                heads.append((name, run))
    if not heads:
        return list(candidates) if rule.unlabelled else []
    kept = []
    for candidate in candidates:
        over = [
            (candidate.top - run.top + 0.5 * max(0.0, candidate.left - run.left), name)
            for name, run in heads
            if run.top <= candidate.top + 0.5 * candidate.height and run.left <= candidate.left + run.height
        ]
        nearest = min(over)[1] if over else None
        if nearest == rule.party or (nearest is None and rule.unlabelled):
            kept.append(candidate)
    return kept


def _find_items(sheet: Sheet, kind: TypeRules, rule: FieldRule, rules: RuleBook) -> list[Candidate]:
    """All items as one candidate: those of a table where one has the heads, else those of the lines."""
    items = find_table_items(sheet, rule)
    if not items:
        stops = _top_of_totals(sheet, kind)
        words = rules.common.vocabulary
        items = find_items(sheet, rule, words.not_item, words.not_header, stops)
    if not items:
        return []
    spans = tuple(span for item in items for one in item.values() for span in one.spans)
    score = sum(one.score for item in items for one in item.values()) / sum(len(item) for item in items)
    return [Candidate(None, spans, score, "table", items=tuple(items))]


def _top_of_totals(sheet: Sheet, kind: TypeRules) -> float | None:
    """Where the sums begin: the first row whose label is that of a price, below the first price."""
    rules = [rule for rule in kind.fields.values() if rule.kind == "money"]
    places = []
    for run in sheet.runs:
        for rule in rules:
            label = find_label(run, rule.labels, rule.not_labels)
            if label is None or label.start > 0 or label.likeness < 0.85:
                continue
            row = sheet.row_of(run)
            if (
                len(row) <= 3
                and any(any(c.isdigit() for c in other.text) for other in row)
                and _follows_items(sheet, run)
            ):
                places.append(place_of(run))
    return min(places, default=None)


def _follows_items(sheet: Sheet, run: Run) -> bool:
    """Totals stand in the lower three quarters of what is written."""
    places = sorted(place_of(other) for other in sheet.runs)
    return place_of(run) > places[len(places) // 5]


def _pair_time_with_date(found: dict[str, list[Candidate]], kind: TypeRules) -> None:
    """Of several times the one that stands in the date's row is meant."""
    dates = [row[0] for name, row in found.items() if kind.fields[name].kind == "date" and row]
    for name, row in found.items():
        if kind.fields[name].kind == "time" and dates:
            raised = [
                one.shift(0.2) if abs(one.top - dates[0].top) < max(one.height, 1.0) * 0.8 else one
                for one in row
            ]
            found[name] = choose(raised, kind.fields[name])


def describe(sheet: Sheet, candidate: Candidate, rules: RuleBook, kind: str) -> FieldValue:
    """A candidate as the value of a field, with its places and a confidence that means something."""
    items = tuple(
        {name: describe(sheet, one, rules, "item") for name, one in item.items()} for item in candidate.items
    )
    spans = () if candidate.items else candidate.spans
    return FieldValue(
        value=candidate.value,
        text=" ".join(sheet.text_of(span) for span in spans) or None,
        confidence=calibrate(candidate.score, rules.common.calibration, kind),
        quads=tuple(sheet.quad_of(span) for span in spans),
        line_ids=tuple(span.line for span in spans),
        page=sheet.pages[spans[0].page].number if spans else None,
        source=candidate.source,
        items=items,
    )


def calibrate(score: float, tables: Mapping[str, Sequence[tuple[float, float]]], kind: str) -> float:
    """The share of values with such a score that were right, between the points of the kind's table."""
    points = tables.get(kind) or tables.get("default")
    if not points:
        return round(min(score, 0.99), 4)
    # No score, no confidence: the first point is reached from nothing.
    below = [(0.0, 0.0), *(point for point in points if point[0] <= score)]
    above = [point for point in points if point[0] > score]
    if not above:
        return round(below[-1][1], 4)
    (left, low), (right, high) = below[-1], above[0]
    return round(low + (high - low) * (score - left) / (right - left), 4)


def _find_pairs(sheet: Sheet, kind: TypeRules, rules: RuleBook) -> dict[str, FieldValue]:
    """The pairs of a form; a label that comes again has its number behind it."""
    fields: dict[str, FieldValue] = {}
    for pair in find_pairs(sheet, kind.known_labels):
        name, count = pair.label, 1
        while name in fields:
            count += 1
            name = f"{pair.label} ({count})"
        candidate = Candidate(pair.text, pair.parts, pair.score, "label")
        fields[name] = describe(sheet, candidate, rules, "pair")
    return fields

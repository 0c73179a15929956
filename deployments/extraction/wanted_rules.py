"""Rules for what nobody wrote rules for: properties of a caller's schema, and questions.

A wanted value that a known field already stands for is found as that field is; any other one is looked for
beside its own words.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from configs.rulebook import Column, FieldKind, FieldRule, RuleBook, TypeRules
from deployments.document import Page
from deployments.extraction.extractor import extract_fields
from deployments.extraction.fields import FieldValue, JsonValue
from deployments.extraction.labels import compact
from deployments.extraction.numbers import find_money, find_numbers
from deployments.extraction.wanted import WantedField

_OWN_TYPE = "wanted"
_YES = {"yes", "true", "y", "checked", "x", "v", "예", "네", "동의"}
_NO = {"no", "false", "n", "unchecked", "아니오", "아니요"}


def find_wanted(
    pages: Sequence[Page], wanted: Sequence[WantedField], document_type: str, rules: RuleBook
) -> dict[str, FieldValue]:
    """The wanted values by name, without any model; those of ``document_type`` show how fields are found."""
    known = _order_known(document_type, rules)
    fields = {one.name: _choose_rule(one, known, rules) for one in wanted}
    own = TypeRules(fields=fields)
    book = rules.model_copy(update={"types": {**rules.types, _OWN_TYPE: own}})
    found = extract_fields(pages, _OWN_TYPE, book).fields
    return {one.name: _fit(found[one.name], one, rules) for one in wanted}


def describe_fields(kind: TypeRules) -> tuple[WantedField, ...]:
    """The fields of a type as wanted values, for a model that does not know the rules."""
    return tuple(
        WantedField(
            name,
            "number" if rule.kind in ("money", "number") else "string",
            labels=rule.labels[:4],
            is_list=rule.kind == "items",
            columns=tuple(
                WantedField(column, "string" if column == "description" else "number")
                for column in (get_args(Column) if rule.kind == "items" else ())
            ),
        )
        for name, rule in kind.fields.items()
        if rule.returned
    )


def read_question(question: str, rules: RuleBook) -> WantedField:
    """What a question asks for: its words without those that every question has."""
    words = rules.common.questions
    plain = question.casefold()
    hint = next((field for sign, field in words.hints.items() if sign in plain), None)
    left = [
        _drop_particle(word, words.particles)
        for word in re.findall(r"[\w/&'-]+", plain)
        if word not in words.left_out
    ]
    kept = [word for word in left if word and word not in words.left_out]
    label = " ".join(kept)
    # "The invoice number", yet "the total of the invoice".
    without_nouns = " ".join(word for word in kept if word not in words.nouns)
    labels = tuple(dict.fromkeys(text for text in (label, without_nouns, hint) if text))
    return WantedField(question, labels=labels)


def tell_kinds(wanted: Iterable[WantedField], rules: RuleBook) -> dict[str, FieldKind]:
    """What each wanted value is by the rules, by its name."""
    known = _order_known(_OWN_TYPE, rules)
    return {one.name: _choose_rule(one, known, rules).kind for one in wanted}


def _drop_particle(word: str, particles: Iterable[str]) -> str:
    """A Korean word without the particle at its end."""
    for particle in sorted(particles, key=len, reverse=True):
        if word.endswith(particle) and len(word) > len(particle) + 1:
            return word.removesuffix(particle)
    return word


def _order_known(document_type: str, rules: RuleBook) -> dict[str, FieldRule]:
    """Known fields by name, those of the document's own type before others."""
    own = rules.types.get(document_type, TypeRules()).fields
    others = {name: rule for kind in rules.types.values() for name, rule in kind.fields.items()}
    return {**others, **own}


def _choose_rule(wanted: WantedField, known: Mapping[str, FieldRule], rules: RuleBook) -> FieldRule:
    if wanted.columns:
        return FieldRule(kind="items", columns=_choose_columns(wanted, known))
    words = {compact(word).text for word in (wanted.name.rpartition(".")[2], *wanted.labels)}
    for name, rule in known.items():
        if compact(name).text in words and rule.returned and not rule.columns:
            # Whose part of the page it is in is not known here.
            return rule.model_copy(update={"party": None})
    for rule in known.values():
        if rule.returned and not rule.columns and words & {compact(label).text for label in rule.labels}:
            return rule.model_copy(update={"party": None, "unlabelled": False})
    return FieldRule(kind=_guess_kind(wanted, rules), labels=wanted.labels)


def _guess_kind(wanted: WantedField, rules: RuleBook) -> FieldKind:
    text = " ".join((wanted.name, *wanted.labels)).casefold()
    for kind, signs in rules.common.questions.kinds.items():
        if any(sign in text for sign in signs):
            return kind
    return "text" if wanted.kind in ("string", "boolean") else "number"


def _choose_columns(wanted: WantedField, known: Mapping[str, FieldRule]) -> dict[Column, tuple[str, ...]]:
    """Heads for the columns of items: the caller's words and those of the known items."""
    shipped = next((rule.columns for rule in known.values() if rule.columns), {})
    return {
        name: tuple(dict.fromkeys((*labels, *_own_heads(name, labels, wanted))))
        for name, labels in shipped.items()
    }


def _own_heads(name: Column, labels: Sequence[str], wanted: WantedField) -> tuple[str, ...]:
    column = next((one for one in wanted.columns if match_column(one, {name: labels}) == name), None)
    return column.labels if column else ()


def match_column(wanted: WantedField, columns: Mapping[Column, Sequence[str]]) -> Column | None:
    """The column of items that a wanted value means, by its words."""
    words = {compact(word).text for word in (wanted.name, *wanted.labels)}
    for name, labels in columns.items():
        if words & {compact(label).text for label in (name, *labels)}:
            return name
    return None


def _fit(found: FieldValue, wanted: WantedField, rules: RuleBook) -> FieldValue:
    """A value in the kind that the caller wants; null where it is none of that kind."""
    if wanted.columns:
        columns = next(
            (rule.columns for kind in rules.types.values() for rule in kind.fields.values() if rule.columns),
            {},
        )
        names = {column.name: match_column(column, columns) for column in wanted.columns}
        rows = tuple(
            {
                column.name: _fit(row.get(str(names[column.name]), FieldValue()), column, rules)
                for column in wanted.columns
            }
            for row in found.items
        )
        return replace(found, value=None, items=rows)
    value = convert(found.value, wanted)
    if value is None:
        return FieldValue()
    return replace(found, value=[value] if wanted.is_list else value)


def convert(value: JsonValue, wanted: WantedField) -> JsonValue:
    """A value in the wanted kind, or None."""
    if value is None or isinstance(value, list | dict):
        return None
    if wanted.kind == "boolean":
        word = str(value).strip().casefold()
        return True if word in _YES else False if word in _NO else None
    if wanted.kind in ("number", "integer"):
        number = value if isinstance(value, int | float) else _read_number(str(value))
        if number is None or isinstance(number, bool):
            return None
        is_whole = float(number).is_integer()
        return (int(number) if is_whole else None) if wanted.kind == "integer" else number
    text = f"{value:g}" if isinstance(value, float) else str(value)
    if wanted.choices:
        return next((one for one in wanted.choices if compact(one).text == compact(text).text), None)
    return text


def _read_number(text: str) -> float | int | None:
    hits = [*find_money(text, (), 2, bare=True), *find_numbers(text)]
    values = [hit.value for hit in hits if isinstance(hit.value, int | float)]
    return values[0] if values else None

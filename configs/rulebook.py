"""Rules of extraction: which fields a type of document has, and how each of them is found.

A type is one YAML file, named after it; `common.yaml` beside them has what all types share. A user's folder
adds types, or replaces one, by files of the same form.
"""

from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from configs.settings import Settings

FieldKind = Literal[
    "text",
    "code",
    "date",
    "time",
    "money",
    "number",
    "phone",
    "business_number",
    "company",
    "address",
    "currency",
    "items",
]
Place = Literal["same", "right", "below"]
Preference = Literal["first", "last", "largest", "sum"]
DateOrder = Literal["DMY", "MDY", "YMD"]
Column = Literal["description", "quantity", "unit_price", "amount"]

_COMMON = "common.yaml"


class FieldRule(Settings):
    """How one field is found.

    ``labels`` stand before a value, the better ones first; a line that has one of ``not_labels`` is no label.
    ``where`` says where a value stands beside its label. ``prefer`` chooses between values that are otherwise
    alike; ``sum`` adds up all that are labelled. Without ``unlabelled`` a value needs a label. What comes
    after a line of ``not_after`` (a summary of taxes, say) is taken only if there is nothing else. ``party``
    names the field whose label heads this one's part of the page. ``columns`` are the heads of items. A field
    that is not ``returned`` only serves the checks.
    """

    kind: FieldKind
    labels: tuple[str, ...] = ()
    not_labels: tuple[str, ...] = ()
    where: tuple[Place, ...] = ("same", "right", "below")
    prefer: Preference = "first"
    unlabelled: bool = False
    not_after: tuple[str, ...] = ()
    party: str | None = None
    columns: Mapping[Column, tuple[str, ...]] = Field(default_factory=dict)
    returned: bool = True


class SumRule(Settings):
    """A sum that must come out: ``total`` is the sum of ``parts``.

    A part with ``-`` before it is taken off; one with ``?`` after it counts only where it was found.
    """

    total: str
    parts: tuple[str, ...] = Field(min_length=1)


class TypeRules(Settings):
    """A type of document.

    ``pairs``: whatever looks like a label with a value is a field; ``known_labels`` need no colon for it.
    """

    recognised_by: tuple[str, ...] = ()
    fields: Mapping[str, FieldRule] = Field(default_factory=dict)
    sums: tuple[SumRule, ...] = ()
    pairs: bool = False
    known_labels: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _know_the_names(self) -> Self:
        named = [part.strip("-?") for rule in self.sums for part in (rule.total, *rule.parts)]
        named += [rule.party for rule in self.fields.values() if rule.party is not None]
        unknown = sorted(set(named) - set(self.fields))
        if unknown:
            raise ValueError(f"sums and parties name fields that are not there: {', '.join(unknown)}")
        return self


class Country(Settings):
    """Habits of a country: its ``words`` tell a document from there, its ``signs`` a price.

    ``region`` is an ISO 3166 code, ``currency`` an ISO 4217 one; ``decimals`` are those of its prices.
    """

    region: str | None = Field(pattern=r"^[A-Z]{2}$")
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    signs: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    date_order: DateOrder = "DMY"
    decimals: Literal[0, 2] = 2


class Vocabulary(Settings):
    """Words by which a part of a page is known for what it is."""

    company: tuple[str, ...] = ()
    address: tuple[str, ...] = ()
    not_header: tuple[str, ...] = ()
    not_item: tuple[str, ...] = ()


class QuestionWords(Settings):
    """How questions are read: what says nothing of the value, and what says which field is meant.

    ``nouns`` name the document itself, or belong to the value's name.
    ``kinds`` are words of a name that tell what kind of value it has; the first that fits wins.
    """

    left_out: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    particles: tuple[str, ...] = ()
    hints: Mapping[str, str] = Field(default_factory=dict)
    kinds: Mapping[FieldKind, tuple[str, ...]] = Field(default_factory=dict)


class CommonRules(Settings):
    """What all types share.

    ``calibration`` has points (score, share that was right) for each way of finding, rising in both; made by
    `make bench-fields`.
    """

    countries: Mapping[str, Country]
    vocabulary: Vocabulary
    questions: QuestionWords = QuestionWords()
    calibration: Mapping[str, tuple[tuple[float, float], ...]] = Field(default_factory=dict)


class RuleBook(Settings):
    """All types by name, and what they share."""

    types: Mapping[str, TypeRules]
    common: CommonRules

    @classmethod
    def load(cls, extra_dir: Path | None = None) -> Self:
        """The shipped rules and those of a folder, whose types win over shipped ones of the same name.

        Raises ValueError, with the file's name, for a file that is no such rule or no YAML, and for a folder
        that is not there.
        """
        shipped = resources.files("configs") / "extraction"
        types = {name: rules for name, rules in _read_types(shipped).items()}
        common = CommonRules.model_validate(_read_yaml(shipped / _COMMON))
        if extra_dir is not None:
            if not extra_dir.is_dir():
                raise ValueError(f"There is no folder of extraction rules at {extra_dir}.")
            types |= _read_types(extra_dir)
        return cls(types=types, common=common)


def _read_types(folder: Traversable) -> dict[str, TypeRules]:
    types = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not entry.name.endswith((".yaml", ".yml")) or entry.name == _COMMON:
            continue
        try:
            types[entry.name.rsplit(".", 1)[0]] = TypeRules.model_validate(_read_yaml(entry))
        except (ValueError, yaml.YAMLError) as error:
            raise ValueError(f"{entry.name}: {error}") from error
    return types


def _read_yaml(source: Traversable) -> dict[str, Any]:
    content = yaml.safe_load(source.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError("not a mapping")
    return {key: value for key, value in content.items() if not str(key).startswith("x-")}

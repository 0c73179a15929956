"""What shall be found in a document: fields of a type, properties of a JSON Schema, answers to questions."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jsonschema import Draft202012Validator, SchemaError

from deployments.input_errors import InvalidSchema, SchemaTooDeep

ValueKind = Literal["string", "number", "integer", "boolean"]
EngineChoice = Literal["auto", "rules", "llm", "pp_chatocr"]

MAX_SCHEMA_BYTES = 64 * 1024
_MAX_DEPTH = 5
_MAX_FIELDS = 200
_MAX_REFERENCES = 50
_KINDS: tuple[ValueKind, ...] = ("string", "number", "integer", "boolean")


@dataclass(frozen=True)
class WantedField:
    """One value to find, by its dotted ``name``; a ``labels`` entry is a word that may stand beside it.

    With ``columns`` it is a list of rows, each with these values. ``is_list``: several values of one kind.
    """

    name: str
    kind: ValueKind = "string"
    labels: tuple[str, ...] = ()
    description: str = ""
    choices: tuple[str, ...] = ()
    is_list: bool = False
    columns: tuple["WantedField", ...] = ()


@dataclass(frozen=True)
class ExtractionRequest:
    """What a caller wants of one document: fields of a type, or of a schema, and answers to questions."""

    document_type: str = "auto"
    wanted: tuple[WantedField, ...] | None = None
    queries: tuple[str, ...] = ()
    engine: EngineChoice = "auto"


def parse_schema(text: str) -> tuple[WantedField, ...]:
    """The values that a JSON Schema of an object describes, in its order.

    Objects in objects have dotted names; lists may be of plain values or of objects with plain values.
    References stay within the schema. Raises `InvalidSchema`, `SchemaTooDeep`.
    """
    if len(text.encode()) > MAX_SCHEMA_BYTES:
        raise SchemaTooDeep(f"The schema has more than {MAX_SCHEMA_BYTES} bytes.")
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidSchema("The schema is no JSON.") from error
    if not isinstance(schema, dict):
        raise InvalidSchema("A schema is a JSON object.")
    _check_depth(schema)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise InvalidSchema(f"The schema is not valid: {error.message[:200]}") from error
    wanted = tuple(_Reader(schema).read_object(schema, "", 1))
    if not wanted:
        raise InvalidSchema("The schema has no properties.")
    return wanted


def _check_depth(schema: Any) -> None:
    """Bound how deep the text itself is nested, before anything else walks through it."""
    level, depth = [schema], 0
    while level:
        depth += 1
        if depth > 8 * _MAX_DEPTH:
            raise SchemaTooDeep(f"The schema is nested more than {_MAX_DEPTH} objects deep.")
        below: list[Any] = []
        for node in level:
            children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
            below += [child for child in children if isinstance(child, dict | list)]
        level = below


class _Reader:
    """Walks through the properties of one schema."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._fields = 0
        self._references = 0

    def read_object(self, schema: Mapping[str, Any], prefix: str, depth: int) -> Iterator[WantedField]:
        """The values of an object's properties."""
        if depth > _MAX_DEPTH:
            raise SchemaTooDeep(f"The schema is nested more than {_MAX_DEPTH} objects deep.")
        for name, child in schema.get("properties", {}).items():
            if not isinstance(child, Mapping):
                raise InvalidSchema(f"The property {name[:100]!r} has no schema.")
            resolved = self._resolve(child)
            full_name = f"{prefix}{name}"
            if self._kind_of(resolved) == "object":
                yield from self.read_object(resolved, f"{full_name}.", depth + 1)
            else:
                yield self._read_value(full_name, name, resolved, depth)

    def _read_value(self, full_name: str, name: str, schema: Mapping[str, Any], depth: int) -> WantedField:
        self._fields += 1
        if self._fields > _MAX_FIELDS:
            raise SchemaTooDeep(f"The schema asks for more than {_MAX_FIELDS} values.")
        described: dict[str, Any] = {
            "labels": _name_labels(name, schema),
            "description": str(schema.get("description", ""))[:500],
            "choices": tuple(str(choice) for choice in schema.get("enum", ())[:100]),
        }
        kind = self._kind_of(schema)
        if kind != "array":
            return WantedField(full_name, _choose_value_kind(kind, full_name), **described)
        items = self._resolve(schema.get("items") or {"type": "string"})
        if self._kind_of(items) == "object":
            columns = tuple(self.read_object(items, "", depth + 1))
            if any(column.columns or column.is_list for column in columns):
                raise SchemaTooDeep(f"The rows of {full_name[:100]!r} have lists of their own.")
            return WantedField(full_name, **described, is_list=True, columns=columns)
        value_kind = _choose_value_kind(self._kind_of(items), full_name)
        return WantedField(full_name, value_kind, **described, is_list=True)

    def _resolve(self, schema: Any) -> Mapping[str, Any]:
        """Follow references, and take the first alternative that is not null."""
        while isinstance(schema, Mapping):
            reference = schema.get("$ref")
            choices = schema.get("anyOf") or schema.get("oneOf")
            if reference is None and choices is None:
                return schema
            self._references += 1
            if self._references > _MAX_REFERENCES:
                raise SchemaTooDeep("The schema has too many references.")
            if reference is not None:
                schema = self._look_up(str(reference))
            else:
                schema = next((one for one in choices or () if one.get("type") != "null"), {})
        raise InvalidSchema("The schema refers to what is no schema.")

    def _look_up(self, reference: str) -> Any:
        if not reference.startswith("#"):
            raise InvalidSchema("References lead to places in the schema itself only.")
        found: Any = self._root
        for part in reference.removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or key not in found:
                raise InvalidSchema(f"The reference {reference[:100]!r} leads nowhere.")
            found = found[key]
        return found

    @staticmethod
    def _kind_of(schema: Mapping[str, Any]) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "string")
        if kind is None:
            kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
        return str(kind)


def _choose_value_kind(kind: str, name: str) -> ValueKind:
    for known in _KINDS:
        if kind == known:
            return known
    raise InvalidSchema(f"The value {name[:100]!r} is of a kind that is not extracted: {kind[:50]!r}.")


def _name_labels(name: str, schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Words under which a person would look for a value, the surest first."""
    title = str(schema.get("title", ""))
    spelled = "".join(f" {letter}" if letter.isupper() else letter for letter in name)
    labels = [title, " ".join(spelled.replace("_", " ").replace("-", " ").split())]
    return tuple(dict.fromkeys(label.lower() for label in labels if label))

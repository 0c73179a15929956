"""Rebuild the schema of Terraform's AWS provider from its JavaScript bindings.

The bindings (package `cdktn-provider-aws`) are generated from the provider's own schema and keep all of it:
which arguments there are, which of them are required, optional or computed, and how blocks nest. This reads
them back, so that Terraform can check the configuration where the provider cannot be downloaded.
"""

import re
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import files as files_of
from pathlib import Path
from typing import Any

Block = dict[str, Any]

_CLASS = re.compile(r"^class (\w+) extends cdktn\.\w+ \{$", re.MULTILINE)
_HCL_FUNCTION = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{$", re.MULTILINE)
_PROPERTY = re.compile(
    r"^    // (\w+) - computed: (true|false), optional: (true|false), required: (true|false)$", re.MULTILINE
)
_NESTED = re.compile(r'^    _\w+ = new (?:cdktn\.)?(\w+)\(this, "\w+"(?:, (true|false))?\);', re.MULTILINE)
_GETTER = re.compile(r"return (cdktn\.Fn\.tolist\()?this\.(?:get(\w+)Attribute|interpolationForAttribute)\(")
_ARGUMENT = re.compile(
    r"^\s+(\w+): \{\n\s+value: .*,\n\s+isBlock: (true|false),\n\s+type: \"(\w+)\",\n"
    r"\s+storageClassType: \"(\w+)\",",
    re.MULTILINE,
)
_SUFFIXES = ("OutputReference", "List", "Map")
# The names that the bindings give to types, in Terraform's own notation.
_STORED = {
    "string": "string",
    "number": "number",
    "boolean": "bool",
    "stringMap": ["map", "string"],
    "numberMap": ["map", "number"],
    "booleanMap": ["map", "bool"],
    "stringListMap": ["map", ["list", "string"]],
    "stringListList": ["list", ["list", "string"]],
    "stringMapList": ["list", ["map", "string"]],
}
_READ = {
    "String": "string",
    "Number": "number",
    "Boolean": "bool",
    "StringMap": ["map", "string"],
    "NumberMap": ["map", "number"],
    "BooleanMap": ["map", "bool"],
    "NumberList": ["list", "number"],
    "List": ["list", "string"],
    "StringMapList": ["list", ["map", "string"]],
}


@dataclass(frozen=True)
class Argument:
    """What the generator of HCL knows of an argument: a block or not, its collection, its stored type."""

    is_block: bool
    collection: str
    stored: str


@dataclass(frozen=True)
class Module:
    """One file of the bindings: the bodies of its classes, and the arguments of its HCL functions."""

    classes: dict[str, str]
    functions: dict[str, dict[str, Argument]]

    @classmethod
    def parse(cls, source: str) -> "Module":
        """Cut the source into classes and functions."""
        functions = {
            name.lower(): _find_arguments(body[: body.find("\n}\n")])
            for name, body in _cut(source, _HCL_FUNCTION)
        }
        return cls(dict(_cut(source, _CLASS)), functions)

    def build_block(self, class_name: str, arguments: dict[str, Argument]) -> Block:
        """The block that a class stands for: its attributes and the blocks in it."""
        block: Block = {"attributes": {}, "blocks": {}}
        for match, body in _cut_matches(self.classes[class_name], _PROPERTY):
            name = match[1]
            flags = {
                flag: True
                for flag, word in zip(("computed", "optional", "required"), match.groups()[1:], strict=True)
                if word == "true"
            }
            self._add(block, name, flags, body[:900], arguments.get(name))
        return block

    def _add(
        self, block: Block, name: str, flags: dict[str, bool], body: str, argument: Argument | None
    ) -> None:
        nested, getter = _NESTED.search(body), _GETTER.search(body)
        is_nested = nested is not None and (getter is None or nested.start() < getter.start())
        base, suffix = _split_suffix(nested[1]) if nested is not None and is_nested else ("", "")
        if f"{base}OutputReference" not in self.classes:
            held = nested[1] if nested is not None and is_nested else getter and getter[2]
            block["attributes"][name] = {
                "type": _find_type(held, bool(getter and getter[1]), argument),
                **flags,
            }
            return
        inner = self.build_block(f"{base}OutputReference", self.functions.get(base.lower(), {}))
        is_single = suffix == "OutputReference"
        collection = "set" if nested is not None and nested[2] == "true" else "list"
        if argument is not None and argument.collection in ("list", "set", "map"):
            collection = argument.collection
        if name == "timeouts" and is_single:
            block["blocks"][name] = {"nesting": "single", "block": inner}
        elif argument is None or not argument.is_block or flags.get("computed"):
            # What the provider computes, and what takes a list of objects for a block, are attributes.
            block["attributes"][name] = {"type": [collection, _as_object(inner)], **flags}
        else:
            limits = {"min": int(flags.get("required", False)), "max": int(is_single)}
            block["blocks"][name] = {"nesting": collection, "block": inner, **limits}


def find_archive() -> Path:
    """Where the installed package keeps its bindings. Raises `PackageNotFoundError` without the package."""
    files = files_of("cdktn-provider-aws") or []
    return Path(str(next(file.locate() for file in files if file.name.endswith(".jsii.tgz"))))


def read_schemas(archive: Path, types: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The schemas of these types, as ``{kind: {type name: block}}`` with kinds ``resource`` and ``data``.

    Beside them stand ``provider`` (its own block) and ``version``. ``types`` are pairs such as
    ``("resource", "aws_vpc")``. Raises `KeyError` for a type that the provider does not have.
    """
    wanted = {_folder(kind, name): (kind, name) for kind, name in types}
    schemas: dict[str, Any] = {"resource": {}, "data": {}}
    with tarfile.open(archive) as tar:
        for member in tar:
            folder = member.name.removeprefix("package/lib/").removesuffix("/index.js")
            file = tar.extractfile(member) if folder in wanted or folder == "provider" else None
            if file is None or not member.name.endswith("/index.js"):
                continue
            source = file.read().decode()
            if folder == "provider":
                schemas["provider"] = _build_provider(source)
                continue
            kind, name = wanted.pop(folder)
            schemas[kind][name] = _build_type(source, name)
            schemas["version"] = re.search(r"providerVersion: '([\d.]+)'", source)[1]  # type: ignore[index]
    if wanted:
        raise KeyError(
            f"The provider has no {', '.join(f'{kind} {name}' for kind, name in wanted.values())}."
        )
    return schemas


def _folder(kind: str, name: str) -> str:
    plain = name.removeprefix("aws_").replace("_", "-")
    return f"data-aws-{plain}" if kind == "data" else plain


def _build_type(source: str, type_name: str) -> Block:
    module = Module.parse(source)
    name, body = next(
        (name, body) for name, body in module.classes.items() if f'tfResourceType = "{type_name}"' in body
    )
    start = body.find("synthesizeHclAttributes()")
    return module.build_block(name, _find_arguments(body[start:]) if start >= 0 else {})


def _build_provider(source: str) -> Block:
    # The provider's block is only written, never read: its arguments are all that the bindings know of it.
    module = Module.parse(source)
    body = next(body for body in module.classes.values() if 'tfResourceType = "aws"' in body)
    return _build_written(module, _find_arguments(body[body.find("synthesizeHclAttributes()") :]))


def _build_written(module: Module, arguments: dict[str, Argument]) -> Block:
    block: Block = {"attributes": {}, "blocks": {}}
    for name, argument in arguments.items():
        if argument.is_block:
            inner = module.functions.get(_split_suffix(argument.stored)[0].lower(), {})
            nesting = argument.collection if argument.collection in ("list", "set") else "list"
            block["blocks"][name] = {"nesting": nesting, "block": _build_written(module, inner)}
        else:
            block["attributes"][name] = {"type": _find_type(None, False, argument), "optional": True}
    return block


def _find_type(read_as: str | None, is_set: bool, argument: Argument | None) -> Any:
    if argument is not None:
        if argument.stored in _STORED:
            return _STORED[argument.stored]
        if argument.stored in ("stringList", "numberList"):
            collection = "set" if argument.collection == "set" else "list"
            return [collection, argument.stored.removesuffix("List")]
    held = _READ.get(read_as or "", "dynamic")
    return ["set", held[1]] if is_set and isinstance(held, list) else held


def _as_object(block: Block) -> list[Any]:
    members = {name: attribute["type"] for name, attribute in block["attributes"].items()}
    for name, nested in block["blocks"].items():
        inner = _as_object(nested["block"])
        members[name] = inner if nested["nesting"] == "single" else [nested["nesting"], inner]
    return ["object", members]


def _find_arguments(body: str) -> dict[str, Argument]:
    return {match[1]: Argument(match[2] == "true", match[3], match[4]) for match in _ARGUMENT.finditer(body)}


def _split_suffix(class_name: str) -> tuple[str, str]:
    for suffix in _SUFFIXES:
        if class_name.endswith(suffix):
            return class_name.removesuffix(suffix), suffix
    return class_name, ""


def _cut(source: str, start: re.Pattern[str]) -> list[tuple[str, str]]:
    return [(match[1], body) for match, body in _cut_matches(source, start)]


def _cut_matches(source: str, start: re.Pattern[str]) -> list[tuple[re.Match[str], str]]:
    matches = list(start.finditer(source))
    ends = [*(match.start() for match in matches[1:]), len(source)]
    return [(match, source[match.end() : end]) for match, end in zip(matches, ends, strict=False)]

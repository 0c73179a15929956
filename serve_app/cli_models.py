"""`ocr-serve models list|pull|verify`: which models there are, where they are, and whether they are sound."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from configs.catalogue import Catalogue, ModelFormat, load_catalogue
from deployments.errors import ModelError
from deployments.models.files import ModelFiles
from deployments.models.store import ModelStore

_ABSENT = "-"
_MANY_LANGUAGES = 4


def add_models_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `models` with its own three."""
    models = commands.add_parser("models", help="list, fetch and check models")
    actions = models.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", help="all models of the catalogue and where they are")
    pulling = actions.add_parser("pull", help="fetch models and check their hashes")
    pulling.add_argument("names", nargs="+", metavar="NAME")
    checking = actions.add_parser("verify", help="check the hashes of all installed models")
    for action in (listing, pulling, checking):
        action.add_argument("--format", choices=["onnx", "paddle"], default="onnx", help="default: onnx")
        action.add_argument("--json", action="store_true", help="one JSON document instead of a table")


def run_models(args: argparse.Namespace) -> int:
    """Run one of the three; the exit status: 1 when a model is missing or corrupt, 2 for a wrong setting."""
    catalogue = load_catalogue()
    try:
        store = ModelStore.from_environment(catalogue)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if args.action == "list":
        _print(_list_models(catalogue, store, args.format), args.json)
        return 0
    names = args.names if args.action == "pull" else _find_installed(catalogue, store, args.format)
    open_model = store.resolve if args.action == "pull" else store.check
    rows = [_describe(open_model, name, args.format) for name in names]
    _print(rows, args.json)
    return 1 if any(row["state"] != "sound" for row in rows) else 0


def _find_installed(catalogue: Catalogue, store: ModelStore, model_format: ModelFormat) -> list[str]:
    return [
        name
        for name, spec in catalogue.models.items()
        if model_format in spec.formats and store.find_installed(name, model_format)
    ]


def _list_models(catalogue: Catalogue, store: ModelStore, model_format: ModelFormat) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "task": spec.task,
            "languages": list(spec.languages),
            "format": model_format,
            "installed": store.find_installed(name, model_format) or _ABSENT,
            "licence": spec.licence,
        }
        for name, spec in catalogue.models.items()
        if model_format in spec.formats
    ]


def _describe(
    open_model: Callable[[str, ModelFormat], ModelFiles], name: str, model_format: ModelFormat
) -> dict[str, Any]:
    try:
        files = open_model(name, model_format)
    except ModelError as error:
        return {
            "name": name,
            "state": error.code,
            "source": _ABSENT,
            "sha256": _ABSENT,
            "detail": error.message,
        }
    return {"name": name, "state": "sound", "source": files.source, "sha256": files.sha256, "detail": ""}


def _print(rows: Sequence[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        json.dump(rows, sys.stdout, ensure_ascii=False, indent=1)
        print()
        return
    table = [list(rows[0])] if rows else []
    table += [[_show(value) for value in row.values()] for row in rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]) if table else 0)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _show(value: object) -> str:
    if not isinstance(value, list):
        return str(value)
    shown = " ".join(value[:_MANY_LANGUAGES]) or _ABSENT
    return f"{shown} +{len(value) - _MANY_LANGUAGES}" if len(value) > _MANY_LANGUAGES else shown

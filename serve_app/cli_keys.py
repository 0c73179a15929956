"""`ocr-serve keys new|list|revoke`: the keys that a key file keeps."""

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from filelock import Timeout
from pydantic import ValidationError

from serve_app.access.caller import ALL_SCOPES, DOCUMENT_SCOPES, CallerLimits
from serve_app.access.key_file import edit_key_file, read_key_file
from serve_app.access.keys import KeyRecord, make_key

_LIFETIME = re.compile(r"([1-9][0-9]{0,4})([hd])")
_NO_VALUE = "-"


def add_keys_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `keys` with its own three."""
    keys = commands.add_parser("keys", help="make, list and revoke API keys")
    actions = keys.add_subparsers(dest="action", required=True)
    making = actions.add_parser("new", help="make a key, and print it once")
    making.add_argument("--owner", required=True, help="whose key it is; an owner may have several")
    making.add_argument("--scopes", default=",".join(sorted(DOCUMENT_SCOPES)), help="default: %(default)s")
    making.add_argument("--expires", metavar="DATE|30d|12h", help="default: never")
    for name in CallerLimits.model_fields:
        making.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N", help="default: no limit")
    listing = actions.add_parser("list", help="all keys of the file, without the keys themselves")
    listing.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    revoking = actions.add_parser("revoke", help="refuse a key from now on")
    revoking.add_argument("id", metavar="ID")
    for action in (making, listing, revoking):
        action.add_argument("--file", type=Path, help="default: the environment's API_KEYS_FILE")


def run_keys(args: argparse.Namespace) -> int:
    """Run one of the three; the exit status: 1 for a key that is not there, 2 for a wrong setting."""
    path = args.file or Path(os.environ.get("API_KEYS_FILE", ""))
    if path == Path():
        print("Name the key file with --file, or in API_KEYS_FILE.", file=sys.stderr)
        return 2
    commands: dict[str, Callable[[argparse.Namespace, Path], int]] = {
        "new": _make,
        "list": _list,
        "revoke": _revoke,
    }
    try:
        return commands[args.action](args, path)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        print("; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in faults), file=sys.stderr)
    except Timeout:
        print(f"{path} is being edited by somebody else.", file=sys.stderr)
    except OSError as error:
        print(f"{path}: {error.strerror}", file=sys.stderr)
    except ValueError as error:
        print(f"{path}: {error}", file=sys.stderr)
    return 2


def _make(args: argparse.Namespace, path: Path) -> int:
    limits = {name: getattr(args, name) for name in CallerLimits.model_fields}
    scopes = args.scopes.replace(",", " ").split()
    if not scopes or not ALL_SCOPES.issuperset(scopes):
        raise ValueError(f"scopes are {', '.join(sorted(ALL_SCOPES))}")
    record, key = make_key(
        args.owner, scopes=scopes, limits=limits, expires=_read_expiry(args.expires, datetime.now(UTC))
    )
    edit_key_file(path, lambda keys: (*keys, record))
    print(f"id: {record.id}", file=sys.stderr)
    print("The key, which is shown only now:", file=sys.stderr)
    print(key)
    return 0


def _list(args: argparse.Namespace, path: Path) -> int:
    rows = [_describe(key) for key in read_key_file(path)]
    if args.json:
        json.dump(rows, sys.stdout, ensure_ascii=False, indent=1)
        print()
        return 0
    table = [["id", "owner", "state", "scopes", "limits", "expires"]]
    table += [[_show(row[name]) for name in table[0]] for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return 0


def _revoke(args: argparse.Namespace, path: Path) -> int:
    now = datetime.now(UTC).replace(microsecond=0)
    found: list[KeyRecord] = []

    def change(keys: tuple[KeyRecord, ...]) -> tuple[KeyRecord, ...]:
        found.extend(key for key in keys if key.id == args.id)
        return tuple(
            key.model_copy(update={"revoked": now}) if key.id == args.id and not key.revoked else key
            for key in keys
        )

    if not path.exists():
        raise FileNotFoundError(2, "No such file")
    edit_key_file(path, change)
    if not found:
        print(f"There is no key with the id {args.id}.", file=sys.stderr)
        return 1
    return 0


def _read_expiry(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    lifetime = _LIFETIME.fullmatch(text)
    if lifetime:
        hours = int(lifetime[1]) * (24 if lifetime[2] == "d" else 1)
        return now.replace(microsecond=0) + timedelta(hours=hours)
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"--expires must be a date such as 2027-01-31, or 30d or 12h, not {text!r}"
        ) from None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _describe(key: KeyRecord) -> dict[str, Any]:
    expired = key.expires is not None and key.expires <= datetime.now(UTC)
    return {
        "id": key.id,
        "owner": key.owner,
        "state": "revoked" if key.revoked else "expired" if expired else "live",
        "scopes": sorted(key.scopes),
        "limits": {name: value for name, value in key.limits.stated().items() if value is not None},
        "created": key.created.isoformat() if key.created else None,
        "expires": key.expires.isoformat() if key.expires else None,
        "revoked": key.revoked.isoformat() if key.revoked else None,
    }


def _show(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={amount}" for name, amount in value.items()) or _NO_VALUE
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(map(str, value))
    return str(value or _NO_VALUE)

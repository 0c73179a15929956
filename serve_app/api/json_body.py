"""A document in a JSON body: as base64, or by its address, with the options beside it."""

import binascii
from collections.abc import Iterable
from typing import Any

import msgspec

from deployments.input_errors import BadRequest, InvalidOption

MAX_FIELDS = 64
# Four letters for three bytes, and a line's end after each 76 of them.
_LETTERS_PER_BYTE = 4 / 3 * 78 / 76
_Fields = dict[str, msgspec.Raw]


def bound_base64(max_bytes: int) -> int:
    """How long a text of base64 may be that stands for so many bytes."""
    return int(max_bytes * _LETTERS_PER_BYTE) + 4


def parse_json_body(
    body: bytes, file_field: str, max_field_bytes: int
) -> tuple[bytes | None, list[tuple[str, Any]]]:
    """The document's bytes, None where there are none, and the other fields.

    A field may be as long as in a form, the file aside. Raises `BadRequest` and `InvalidOption`.
    """
    try:
        fields = msgspec.json.decode(body, type=_Fields)
        file = fields.pop(file_field, None)
        data = None if file is None else _read_file(file, file_field)
        return data, list(_read_others(fields.items(), max_field_bytes))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("The body is not one JSON object in UTF-8.") from error


def _read_others(fields: Iterable[tuple[str, msgspec.Raw]], max_bytes: int) -> Iterable[tuple[str, Any]]:
    for count, (name, raw) in enumerate(fields, start=1):
        if count > MAX_FIELDS:
            raise BadRequest(f"Too many fields: at most {MAX_FIELDS} beside the file.")
        if len(bytes(raw)) > max_bytes:
            raise BadRequest(f"The field {name[:100]!r} is longer than {max_bytes} bytes.")
        value = msgspec.json.decode(raw)
        # What clients send for an option that they leave open.
        if value is not None:
            # A schema may be written as what it is; the options take it as a text.
            yield name, msgspec.json.encode(value).decode() if isinstance(value, dict) else value


def _read_file(raw: msgspec.Raw, field: str) -> bytes | None:
    try:
        return msgspec.json.decode(raw, type=bytes | None)
    except msgspec.ValidationError:
        pass
    text = msgspec.json.decode(raw)
    if not isinstance(text, str):
        raise InvalidOption(f"The field `{field}` is not base64.")
    # As a browser's FileReader writes it, and with the line ends of older tools.
    if text[:5].lower() == "data:":
        text = text[text.find(",") + 1 :]
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except (binascii.Error, ValueError):
        raise InvalidOption(f"The field `{field}` is not base64.") from None

"""API keys: how one is made, what is kept of it, and how it is found again.

A key is ``ocr_<id>_<secret>`` with 256 random bits in the secret. Only its SHA-256 is kept: a hash made slow
on purpose protects secrets that can be guessed, and nobody guesses 256 bits.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from serve_app.access.caller import DOCUMENT_SCOPES, Caller, CallerLimits, Scope

_FORM = re.compile(rb"ocr_([a-z0-9-]{1,64})_[\x21-\x7e]{1,200}")
_ID_BYTES = 5
_SECRET_BYTES = 32
# The cost of a guess at a plain key by its id, which stands in logs: 16 MiB and some 50 ms.
_SCRYPT = {"n": 2**14, "r": 8, "p": 1}


class KeyRecord(BaseModel):
    """What is kept of a key: all but the key itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9-]{1,64}$")
    owner: str = Field("", max_length=200)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", repr=False)
    scopes: frozenset[Scope] = DOCUMENT_SCOPES
    limits: CallerLimits = CallerLimits()
    created: AwareDatetime | None = None
    expires: AwareDatetime | None = None
    revoked: AwareDatetime | None = None

    @field_validator("created", "expires", "revoked", mode="before")
    @classmethod
    def _read_date(cls, value: object) -> object:
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                raise ValueError("not a date") from None
        # YAML reads `2027-01-31` as a day and a time without a zone as one without a zone: both mean UTC.
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        return value

    def to_caller(self, defaults: CallerLimits) -> Caller:
        """The identity of who sends this key."""
        return Caller(
            self.id, self.owner or self.id, self.scopes, self.limits.or_else(defaults), self.expires
        )


class KeyDocument(BaseModel):
    """What a key file, or a secret of AWS Secrets Manager, holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: tuple[KeyRecord, ...] = ()

    @field_validator("keys")
    @classmethod
    def _refuse_twins(cls, keys: tuple[KeyRecord, ...]) -> tuple[KeyRecord, ...]:
        if len({key.id for key in keys}) < len(keys):
            raise ValueError("two keys have the same id")
        return keys


class KeyRing:
    """Keys to be looked up. ``plain`` are keys of an operator's own making, without an id inside."""

    def __init__(self, records: Iterable[KeyRecord], plain: Iterable[KeyRecord] = ()) -> None:
        self._by_id: dict[str, KeyRecord] = {}
        for record in records:
            self._by_id.setdefault(record.id, record)
        self._plain = tuple(plain)

    def find(self, presented: bytes) -> KeyRecord | None:
        """The record of a key, whether it may be used or not; hashes are compared in constant time."""
        digest = hash_key(presented)
        form = _FORM.fullmatch(presented)
        named = self._by_id.get(form[1].decode()) if form else None
        found = None
        for record in (*self._plain, *((named,) if named else ())):
            if hmac.compare_digest(record.sha256, digest):
                found = record
        return found

    def get(self, key_id: str) -> KeyRecord | None:
        """The record with this id."""
        return next((r for r in self._plain if r.id == key_id), None) or self._by_id.get(key_id)

    @property
    def is_empty(self) -> bool:
        """Whether nobody could come in."""
        return not (self._by_id or self._plain)


def hash_key(key: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(key).hexdigest()


def make_key(owner: str, **more: Any) -> tuple[KeyRecord, str]:
    """Make a key: its record, and the key itself, which nobody can find out from the record."""
    key_id = secrets.token_hex(_ID_BYTES)
    key = f"ocr_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    now = datetime.now(UTC).replace(microsecond=0)
    record = {"id": key_id, "owner": owner, "sha256": hash_key(key.encode()), "created": now, **more}
    return KeyRecord.model_validate(record), key


def keep_plain_key(key: str, scopes: frozenset[Scope]) -> KeyRecord:
    """The record of a key that an operator chose.

    Its id is made of the key, so that it stays the same when keys come and go around it, and costs as much
    as a password's hash to try: such a key may be guessable.
    """
    data = key.encode("utf-8", "surrogateescape")
    digest = hash_key(data)
    return KeyRecord(id=f"env-{_name_digest(digest)}", sha256=digest, scopes=scopes)


@lru_cache(maxsize=1024)
def _name_digest(digest: str) -> str:
    return hashlib.scrypt(digest.encode(), salt=b"ocr-serve key id", dklen=_ID_BYTES, **_SCRYPT).hex()


def parse_keys(text: str) -> tuple[KeyRecord, ...]:
    """Read YAML or JSON of the form ``{keys: [{id, sha256, ...}]}``.

    Raises `ValueError` that says where the fault is, but quotes nothing: somebody may have put a key there.
    """
    try:
        content = yaml.load(text, _LOADER)  # nosec B506
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise ValueError(f"neither YAML nor JSON{line}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ValueError("neither YAML nor JSON") from None
    if not isinstance(content, dict):
        raise ValueError("not a mapping with `keys`")
    try:
        return KeyDocument.model_validate(content).keys
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        named = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in faults[:5])
        raise ValueError(named) from None


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

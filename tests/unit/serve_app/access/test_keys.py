"""Keys: made, kept as hashes, found again."""

import hashlib
from datetime import UTC, datetime

import pytest

from serve_app.access.caller import ALL_SCOPES, CallerLimits
from serve_app.access.keys import KeyRecord, KeyRing, keep_plain_key, make_key, parse_keys

GOOD = "a" * 64


def test_a_record_does_not_hold_its_key() -> None:
    """Only its hash; a new key has 256 random bits behind its id."""
    record, key = make_key("billing")
    secret = key.removeprefix(f"ocr_{record.id}_")
    assert len(secret) == 43
    assert secret not in record.model_dump_json()
    assert record.sha256 == hashlib.sha256(key.encode()).hexdigest()
    assert make_key("billing")[1] != key


def test_a_key_is_found_by_its_id_and_hash() -> None:
    """The id of one key with the secret of another is no key."""
    (first, key), (second, other) = make_key("a"), make_key("b")
    ring = KeyRing([first, second])
    assert ring.find(key.encode()) == first
    assert ring.find(other.encode()) == second
    swapped = key.replace(first.id, second.id)
    for wrong in (swapped, key[:-1], key + "x", "", f"ocr_{first.id}_", first.sha256, "ocr__"):
        assert ring.find(wrong.encode()) is None


def test_plain_keys_are_found_beside_the_others() -> None:
    """Even one that looks like a key with an id."""
    record, key = make_key("a")
    plain = keep_plain_key("ocr_web_12345", ALL_SCOPES)
    ring = KeyRing([record], [plain])
    assert ring.find(b"ocr_web_12345") == plain
    assert ring.find(key.encode()) == record
    assert ring.get(plain.id) == plain
    assert ring.get("other") is None


def test_a_plain_keys_id_says_nothing_that_can_be_tried_cheaply() -> None:
    """Its id stands in logs; a bare hash could be tried a billion times a second."""
    record = keep_plain_key("guessable", ALL_SCOPES)
    assert record.id == keep_plain_key("guessable", ALL_SCOPES).id
    assert record.id.removeprefix("env-") not in record.sha256


def test_yaml_and_json_are_read() -> None:
    """Dates without a zone mean UTC."""
    (key,) = parse_keys(
        f"keys:\n- {{id: web, owner: shop, sha256: {GOOD}, scopes: [ocr], expires: 2027-01-31,\n"
        "   created: 2026-01-01 10:00:00, limits: {requests_per_minute: 60}}\n"
    )
    assert key.expires == datetime(2027, 1, 31, tzinfo=UTC)
    assert key.created == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert key.limits == CallerLimits(requests_per_minute=60)
    assert key.to_caller(CallerLimits(pages_per_day=9)).limits.pages_per_day == 9
    assert parse_keys(f'{{"keys": [{{"id": "web", "sha256": "{GOOD}"}}]}}')[0].id == "web"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a mapping"),
        ("- a", "not a mapping"),
        ("keys: [", "neither YAML nor JSON"),
        ("keys: \x00", "neither YAML nor JSON"),
        ("keys: !!python/object:os.system {}", "neither YAML nor JSON"),
        ("key: []", "key: Extra inputs"),
        ("keys: [{id: A, sha256: x}]", "keys.0.id"),
        (f"keys: [{{id: a, sha256: {GOOD}, scopes: [root]}}]", "keys.0.scopes"),
        (f"keys: [{{id: a, sha256: {GOOD}, limits: {{requests_per_minute: 0}}}}]", "requests_per_minute"),
        (f"keys: [{{id: a, sha256: {GOOD}}}, {{id: a, sha256: {GOOD}}}]", "same id"),
        (f"keys: [{{id: a, sha256: {GOOD}, expires: hunter2}}]", "keys.0.expires"),
        ("keys: [{id: a, sha256: hunter2, scopes: [hunter2]}]", "keys.0.sha256"),
    ],
)
def test_what_is_no_key_document_is_refused_without_quoting_it(text: str, says: str) -> None:
    """Somebody may have put a key into it."""
    with pytest.raises(ValueError, match=says.replace(".", r"\.")) as caught:
        parse_keys(text)
    assert "hunter2" not in str(caught.value)


def test_a_printed_record_has_no_hash() -> None:
    """Logs need none."""
    assert GOOD not in repr(KeyRecord(id="a", sha256=GOOD))

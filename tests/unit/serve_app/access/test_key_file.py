"""The key file: read again on change, edited in one step."""

import threading
from pathlib import Path

import pytest

from deployments.errors import Unauthorized
from serve_app.access.caller import CallerLimits
from serve_app.access.key_file import LOOK_EVERY_S, KeyFile, edit_key_file, read_key_file
from serve_app.access.key_store import KeyStore
from serve_app.access.keys import KeyRecord, make_key


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def read(self) -> float:
        """Every look finds that it is time to look."""
        self.now_s += LOOK_EVERY_S
        return self.now_s


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.yaml"


def add(path: Path, record: KeyRecord) -> None:
    edit_key_file(path, lambda keys: (*keys, record))


async def test_a_key_works_as_soon_as_it_stands_in_the_file(path: Path) -> None:
    """And no more once it is gone; two keys of one owner work side by side."""
    (first, old), (second, new) = make_key("shop"), make_key("shop")
    add(path, first)
    store = KeyStore([], [], [KeyFile(path, Clock().read)])
    assert (await store.check(old.encode())).owner == "shop"
    with pytest.raises(Unauthorized, match="not valid"):
        await store.check(new.encode())
    add(path, second)
    assert (await store.check(new.encode())).id == second.id
    assert (await store.check(old.encode())).id == first.id
    edit_key_file(path, lambda keys: keys[1:])
    with pytest.raises(Unauthorized, match="not valid"):
        await store.check(old.encode())
    assert (await store.check(new.encode())).id == second.id


def spoil(path: Path, text: str | None) -> None:
    """Write over the file, as an editor does that knows no rules; or take it away."""
    if text is None:
        path.unlink()
    else:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("broken", ["keys: [", "keys: [{id: x}]", "\udcff", None])
async def test_a_broken_edit_keeps_the_last_good_set(path: Path, caplog, broken: str | None) -> None:
    """It is logged once, not at every request; the next good edit counts."""
    record, key = make_key("shop")
    add(path, record)
    store = KeyStore([], [], [KeyFile(path, Clock().read)])
    spoil(path, broken)
    for _ in range(3):
        assert (await store.check(key.encode())).id == record.id
    assert [entry.levelname for entry in caplog.records] == ["ERROR"]
    assert key not in caplog.text
    spoil(path, "keys: []")
    with pytest.raises(Unauthorized):
        await store.check(key.encode())


async def test_the_file_is_not_looked_at_all_the_time(path: Path) -> None:
    """Once a second at most, however many requests come."""
    record, key = make_key("shop")
    add(path, record)
    clock = Clock()
    store = KeyStore([], [], [KeyFile(path, lambda: clock.now_s)])
    assert await store.check(key.encode())
    edit_key_file(path, lambda _: ())
    assert await store.check(key.encode())
    clock.now_s += LOOK_EVERY_S
    with pytest.raises(Unauthorized):
        await store.check(key.encode())


async def test_expired_and_revoked_keys_are_refused_by_name(path: Path) -> None:
    """Only who has the key learns that it was one."""
    expired, old = make_key("shop", expires="2020-01-01T00:00:00Z")
    revoked, gone = make_key("shop", revoked="2020-01-01T00:00:00Z")
    store = KeyStore([expired, revoked], [], [])
    with pytest.raises(Unauthorized, match="has expired"):
        await store.check(old.encode())
    with pytest.raises(Unauthorized, match="was revoked"):
        await store.check(gone.encode())
    with pytest.raises(Unauthorized, match="not valid"):
        await store.check(f"ocr_{expired.id}_guess".encode())


@pytest.mark.parametrize("name", ["keys.yaml", "keys.json"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    """Readable to its owner alone."""
    path = tmp_path / name
    record, _ = make_key(
        "가게", limits=CallerLimits(requests_per_minute=1), expires="2030-01-01", scopes=["ocr"]
    )
    add(path, record)
    assert read_key_file(path) == (record,)
    assert path.stat().st_mode & 0o777 == 0o600


def test_editors_wait_for_each_other(path: Path) -> None:
    """None of twenty keys made at a time is lost."""
    records = [make_key("a")[0] for _ in range(20)]
    threads = [threading.Thread(target=add, args=(path, record)) for record in records]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key.id for key in read_key_file(path)} == {record.id for record in records}


def test_a_failed_edit_changes_nothing(path: Path) -> None:
    """And leaves no file behind."""
    add(path, make_key("a")[0])
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        edit_key_file(path, lambda keys: (*keys, 1 / 0))  # type: ignore[arg-type]
    assert path.read_bytes() == before
    assert {item.name for item in path.parent.iterdir()} <= {path.name, f".{path.name}.lock"}


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    """Secrets are often mounted as links."""
    real = tmp_path / "real.yaml"
    add(real, make_key("a")[0])
    path.symlink_to(real)
    add(path, make_key("b")[0])
    assert path.is_symlink()
    assert len(read_key_file(real)) == 2

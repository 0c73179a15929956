"""Keys in AWS Secrets Manager."""

import pytest

from deployments.errors import Unauthorized
from serve_app.access.key_secret import KeySecret
from serve_app.access.key_store import KeyStore
from serve_app.access.keys import KeyDocument, KeyRecord, make_key
from serve_app.auth import AuthSettings

from moto_process import CREDENTIALS, make_client, needs_moto, running_moto
from service import find_free_port

pytestmark = pytest.mark.aws

REFRESH_S = 300.0


def to_text(*records: KeyRecord) -> str:
    return KeyDocument(keys=records).model_dump_json(exclude_none=True)


class Clock:
    """A clock that a test turns."""

    now_s = 0.0

    def read(self) -> float:
        return self.now_s


async def test_keys_of_a_secret_are_accepted_and_rotated(endpoint: str, make_secret) -> None:
    """A new version counts once the old one is as old as the operator allows."""
    (first, old), (second, new) = make_key("shop"), make_key("shop")
    name = make_secret(to_text(first))
    clock = Clock()
    store = KeyStore([], [], [KeySecret(name, REFRESH_S, clock.read)])
    assert (await store.check(old.encode())).id == first.id
    secrets = make_client("secretsmanager", endpoint)
    secrets.put_secret_value(SecretId=name, SecretString=to_text(first, second))
    clock.now_s = REFRESH_S - 1
    with pytest.raises(Unauthorized):
        await store.check(new.encode())
    clock.now_s = REFRESH_S
    assert (await store.check(new.encode())).id == second.id
    assert (await store.check(old.encode())).id == first.id


async def test_a_broken_secret_keeps_the_last_good_set(endpoint: str, make_secret, caplog) -> None:
    """And is not quoted in the log."""
    record, key = make_key("shop")
    name = make_secret(to_text(record))
    clock = Clock()
    store = KeyStore([], [], [KeySecret(name, REFRESH_S, clock.read)])
    secrets = make_client("secretsmanager", endpoint)
    secrets.put_secret_value(SecretId=name, SecretString="hunter2")
    clock.now_s = REFRESH_S
    assert (await store.check(key.encode())).id == record.id
    assert "last good set stays" in caplog.text
    assert "hunter2" not in caplog.text


@needs_moto
async def test_keys_work_on_while_aws_is_down(monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    """They are looked for again sooner than usual, and found when it is back."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    (first, old), (second, new) = make_key("shop"), make_key("shop")
    port = find_free_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    clock = Clock()
    with running_moto(port) as url:
        make_client("secretsmanager", url).create_secret(Name="keys", SecretString=to_text(first))
        store = KeyStore([], [], [KeySecret("keys", REFRESH_S, clock.read)])
    clock.now_s = REFRESH_S
    for _ in range(3):
        assert (await store.check(old.encode())).id == first.id
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    with running_moto(port) as url:
        make_client("secretsmanager", url).create_secret(Name="keys", SecretString=to_text(second))
        clock.now_s += 30.0
        assert (await store.check(new.encode())).id == second.id


async def test_a_secret_that_is_not_there_stops_the_start(endpoint: str, new_name: str) -> None:
    """With the name of AWS's own error."""
    settings = AuthSettings.from_environment({"API_KEYS_SECRET_ID": new_name})
    with pytest.raises(ValueError, match=r"API_KEYS_SECRET_ID cannot be used: .*ResourceNotFound"):
        settings.make_authenticator()


async def test_the_service_takes_a_key_from_the_secret(make_secret, connect) -> None:
    """From the environment's settings to the answer."""
    record, key = make_key("shop", scopes=["ocr"])
    name = make_secret(to_text(record))
    png = {"content": b"\x89PNG", "headers": {"content-type": "image/png"}}
    async with connect(AuthSettings.from_environment({"API_KEYS_SECRET_ID": name})) as client:
        assert (await client.post("/ocr", **png)).status_code == 401
        client.headers["x-api-key"] = key
        assert (await client.post("/ocr", **png)).status_code == 200
        assert (await client.post("/structure", **png)).status_code == 403

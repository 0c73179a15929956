"""What the operator may say of keys, tokens, limits and origins."""

from pathlib import Path

import pytest
from starlette.datastructures import Headers

from deployments.errors import Unauthorized
from serve_app.access.caller import ALL_SCOPES, DOCUMENT_SCOPES, Caller, CallerLimits
from serve_app.access.keys import KeyDocument, make_key
from serve_app.auth import AuthSettings

COGNITO = {
    "AUTH_MODE": "cognito",
    "COGNITO_ISSUER": "https://cognito-idp.eu-west-1.amazonaws.com/pool",
    "COGNITO_AUDIENCE": "web, mobile",
}


async def identify(environment: dict[str, str], key: str) -> Caller:
    """Who sends this key in its header, as the bytes that a client would send."""
    authenticator = AuthSettings.from_environment(environment).make_authenticator()
    return await authenticator.identify(Headers(raw=[(b"x-api-key", key.encode())]))


@pytest.mark.parametrize("environment", [{}, {"API_KEY": ""}, {"API_KEY": " \n"}, {"API_KEYS": " "}])
def test_a_missing_key_stops_the_start(environment: dict[str, str]) -> None:
    """A server without a key would be open to everyone."""
    with pytest.raises(ValueError, match="API_KEY must be set"):
        AuthSettings.from_environment(environment)


@pytest.mark.parametrize("text", [",", " , ", '{"keys": []}'])
def test_a_list_without_keys_stops_the_start(text: str) -> None:
    """Nobody could come in, and the operator would wonder why."""
    with pytest.raises(ValueError, match="There is no key"):
        AuthSettings.from_environment({"API_KEYS": text}).make_authenticator()


def test_another_mode_is_refused() -> None:
    """A misspelt mode never falls back to another one."""
    with pytest.raises(ValueError, match="AUTH_MODE must be api-key, cognito or both, not 'none'"):
        AuthSettings.from_environment({"AUTH_MODE": "none", "API_KEY": "k"})


@pytest.mark.parametrize("mode", ["api-key", "api_key"])
async def test_only_the_key_itself_is_accepted(mode: str) -> None:
    """Neither a part of it nor anything else."""
    environment = {"API_KEY": "secret\n", "AUTH_MODE": mode}
    assert (await identify(environment, "secret")).scopes == ALL_SCOPES
    for key in ("", "secre", "secret2", "SECRET", "sécret", "ocr_secret_secret"):
        with pytest.raises(Unauthorized):
            await identify(environment, key)


async def test_a_key_outside_ascii_works() -> None:
    """A header's bytes reach the application as Latin-1 text, whatever they mean."""
    assert (await identify({"API_KEY": "열쇠"}, "열쇠")).key_id.startswith("env-")


async def test_keys_of_one_service_are_different_callers() -> None:
    """Their ids stay the same when their order changes, and a list's keys are no administrators."""
    first = await identify({"API_KEY": "a", "API_KEYS": "b, c"}, "b")
    again = await identify({"API_KEYS": "c,b"}, "b")
    other = await identify({"API_KEYS": "c,b"}, "c")
    assert first.key_id == again.key_id != other.key_id
    assert first.scopes == DOCUMENT_SCOPES


async def test_keys_may_stand_in_the_environment_as_hashes() -> None:
    """The same document as in a file; the id inside the key leads to its record."""
    record, key = make_key("billing", scopes=["ocr"])
    document = KeyDocument(keys=(record,)).model_dump_json(exclude_none=True)
    caller = await identify({"API_KEYS": document}, key)
    assert (caller.key_id, caller.owner, caller.scopes) == (record.id, "billing", {"ocr"})


def test_a_broken_key_document_stops_the_start() -> None:
    """And is not quoted: it may hold a key."""
    settings = AuthSettings.from_environment({"API_KEYS": '{"keys": [{"id": "a", "sha256": "my-secret"}]}'})
    with pytest.raises(ValueError, match=r"API_KEYS is not valid: keys\.0\.sha256") as caught:
        settings.make_authenticator()
    assert "my-secret" not in str(caught.value)


def test_a_missing_key_file_stops_the_start(tmp_path: Path) -> None:
    """Nobody could come in, and the operator would wonder why."""
    settings = AuthSettings.from_environment({"API_KEYS_FILE": str(tmp_path / "none.yaml")})
    with pytest.raises(ValueError, match="API_KEYS_FILE cannot be read: No such file"):
        settings.make_authenticator()


async def test_default_limits_are_those_of_who_states_none() -> None:
    """Limit by limit."""
    record, key = make_key("a", limits={"requests_per_minute": 5})
    document = KeyDocument(keys=(record,)).model_dump_json(exclude_none=True)
    limits = "requests_per_minute=60, pages_per_day=1000"
    caller = await identify({"API_KEYS": document, "DEFAULT_LIMITS": limits}, key)
    assert caller.limits == CallerLimits(requests_per_minute=5, pages_per_day=1000)


@pytest.mark.parametrize("text", ["60", "requests=60", "requests_per_minute=0", "pages_per_day=many"])
def test_default_limits_that_mean_nothing_are_refused(text: str) -> None:
    """A misspelt limit would be none."""
    with pytest.raises(ValueError, match="DEFAULT_LIMITS must be numbers"):
        AuthSettings.from_environment({"API_KEY": "k", "DEFAULT_LIMITS": text})


def test_keys_are_not_in_a_log_line() -> None:
    """Settings may be printed."""
    settings = AuthSettings("secret", api_keys="secret2", counters_uri="redis://:secret3@host")
    assert "secret" not in repr(settings).replace("keys_secret", "").replace("secret_refresh_s", "")


def test_an_unknown_storage_of_counters_stops_the_start() -> None:
    """Limits that nobody counts would be none; the address may hold a password."""
    with pytest.raises(ValueError, match="RATE_LIMIT_STORAGE_URI") as caught:
        AuthSettings.from_environment({"API_KEY": "k", "RATE_LIMIT_STORAGE_URI": "mysql://u:hunter2@host"})
    assert "hunter2" not in str(caught.value)


class TestCognito:
    """The settings of tokens."""

    def test_they_are_read(self) -> None:
        """The key set stands under the issuer unless it is named; groups add scopes."""
        groups = {"COGNITO_GROUP_SCOPES": "admins=admin ocr, auditors=metrics", "COGNITO_SCOPES": "ocr"}
        cognito = AuthSettings.from_environment(COGNITO | groups).cognito
        assert cognito is not None
        assert cognito.audience == {"web", "mobile"}
        assert cognito.key_set_url == COGNITO["COGNITO_ISSUER"] + "/.well-known/jwks.json"
        assert cognito.scopes == {"ocr"}
        assert cognito.group_scopes == {"admins": {"admin", "ocr"}, "auditors": {"metrics"}}

    @pytest.mark.parametrize("missing", ["COGNITO_ISSUER", "COGNITO_AUDIENCE"])
    def test_issuer_and_audience_are_needed(self, missing: str) -> None:
        """Tokens of other pools or applications are never accepted for want of a setting."""
        with pytest.raises(ValueError, match="needs COGNITO_ISSUER and COGNITO_AUDIENCE"):
            AuthSettings.from_environment(COGNITO | {missing: " "})

    @pytest.mark.parametrize("url", ["http://keys.example/jwks.json", "file:///keys", "keys.example"])
    def test_the_key_set_comes_over_tls(self, url: str) -> None:
        """Whoever can change it can be anybody."""
        with pytest.raises(ValueError, match="https://"):
            AuthSettings.from_environment(COGNITO | {"COGNITO_JWKS_URL": url})

    @pytest.mark.parametrize(
        "setting",
        [
            {"COGNITO_SCOPES": "ocr root"},
            {"COGNITO_GROUP_SCOPES": "admins"},
            {"COGNITO_GROUP_SCOPES": "a=root"},
        ],
    )
    def test_unknown_scopes_are_refused(self, setting: dict[str, str]) -> None:
        """A misspelt scope would be none."""
        with pytest.raises(ValueError, match=next(iter(setting))):
            AuthSettings.from_environment(COGNITO | setting)


def test_origins_are_listed() -> None:
    """None unless they are named; `*` only when it is asked for."""
    assert AuthSettings.from_environment({"API_KEY": "k"}).allowed_origins == ()
    listed = {"API_KEY": "k", "ALLOWED_ORIGINS": "https://a.example, http://localhost:3000/,"}
    assert AuthSettings.from_environment(listed).allowed_origins == (
        "https://a.example",
        "http://localhost:3000",
    )
    assert AuthSettings.from_environment({"API_KEY": "k", "ALLOWED_ORIGINS": "*"}).allowed_origins == ("*",)


@pytest.mark.parametrize("origin", ["example.com", "https://*.example.com", "https://a.example/path"])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    """A browser would never send it, so it would never match."""
    with pytest.raises(ValueError, match="ALLOWED_ORIGINS"):
        AuthSettings.from_environment({"API_KEY": "k", "ALLOWED_ORIGINS": origin})

"""The key and the origins."""

import pytest

from serve_app.auth import AuthSettings


def test_a_missing_key_stops_the_start() -> None:
    """A server without a key would be open to everyone."""
    for environment in ({}, {"API_KEY": ""}, {"API_KEY": " \n"}):
        with pytest.raises(ValueError, match="API_KEY must be set"):
            AuthSettings.from_environment(environment)


def test_another_mode_is_refused() -> None:
    """A misspelt mode never falls back to another one."""
    with pytest.raises(ValueError, match="AUTH_MODE must be api-key, not 'none'"):
        AuthSettings.from_environment({"AUTH_MODE": "none", "API_KEY": "k"})


def test_only_the_key_itself_is_accepted() -> None:
    """Neither a part of it nor anything else."""
    settings = AuthSettings.from_environment({"API_KEY": "secret\n", "AUTH_MODE": "api-key"})
    assert settings.accepts_key("secret")
    assert not any(
        settings.accepts_key(key) for key in ("", "secre", "secret2", "SECRET", "sécret", "\udcff")
    )


def test_a_key_outside_ascii_works() -> None:
    """A header's bytes reach the application as Latin-1 text, whatever they mean."""
    settings = AuthSettings.from_environment({"API_KEY": "열쇠"})
    assert settings.accepts_key("열쇠".encode().decode("latin-1"))
    assert not settings.accepts_key("x")


def test_the_key_is_not_in_a_log_line() -> None:
    """Settings may be printed."""
    assert "secret" not in repr(AuthSettings("secret"))


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

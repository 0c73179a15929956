"""Paddle's own check over HTTP."""

import httpx
import pytest


@pytest.mark.parametrize("path", ["/debug/paddle", "/v1/debug/paddle"])
async def test_the_check_is_answered_whatever_it_says(client: httpx.AsyncClient, path: str) -> None:
    """A failed check is a good answer."""
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.json() == {
        "ok": False,
        "installed": False,
        "version": None,
        "reason": "Paddle is not installed.",
    }


async def test_the_check_needs_the_key(stranger: httpx.AsyncClient) -> None:
    """It is costly, and tells about the machine."""
    answer = await stranger.get("/debug/paddle")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
